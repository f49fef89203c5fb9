/* What the host offers to a plugin for its whole life: a name, a version and a log. Nothing else:
 * no sockets, no clock, no memory. */
#ifndef AIM_ABI_HOST_H
#define AIM_ABI_HOST_H

#include "aim/abi/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define AIM_LOG_DEBUG 0
#define AIM_LOG_INFO 1
#define AIM_LOG_WARNING 2
#define AIM_LOG_ERROR 3

/* Owned by the host; valid from init() until deinit() has returned. */
typedef struct aim_host {
    uint32_t struct_size;
    uint16_t abi_major;
    uint16_t abi_minor;
    aim_str name;    /* "aimanager" */
    aim_str version; /* of the host, for logs only: never decide by it */

    /* [any-thread] Non-zero when a message of this level would be written. */
    int32_t (*log_enabled)(const struct aim_host* host, int32_t level);

    /* [any-thread] Copies `text` and returns at once; rate-limited and cut at 2 KiB by the host.
     * Never log bodies or headers. */
    void (*log)(const struct aim_host* host, int32_t level, aim_str text);
} aim_host;

#ifdef __cplusplus
}
#endif

#endif /* AIM_ABI_HOST_H */
