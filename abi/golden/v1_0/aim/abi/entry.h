/* The door of a plugin: the one function that the shared object exports.
 *
 * Threads. Functions are tagged:
 *   [any-thread]   callable at any time on any thread, several at once
 *   [load-thread]  only on the host's loader thread, never two at once
 *   [session]      calls for one session never overlap, but may come from different threads one
 * after the other; different sessions run at the same time. So no thread-local state, and state of
 * the whole plugin is immutable after init.
 *
 * A plugin must not: do I/O, start threads, block, call exit/abort, install signal handlers, change
 * locale, environment or working folder, write to stdout or stderr, register exit handlers, let an
 * exception leave a function, or rely on being unloaded (it never is). */
#ifndef AIM_ABI_ENTRY_H
#define AIM_ABI_ENTRY_H

#include "aim/abi/export.h"
#include "aim/abi/host.h"
#include "aim/abi/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Static and immutable for the life of the library. */
typedef struct aim_entry {
    uint32_t struct_size;
    uint16_t abi_major;          /* AIM_ABI_MAJOR as compiled; another major is refused */
    uint16_t abi_minor;          /* AIM_ABI_MINOR as compiled */
    uint16_t abi_minor_required; /* the lowest host minor that the plugin can live with */
    uint16_t reserved[3];

    /* [load-thread] Before anything but get_interface for the descriptor. AIM_OK or AIM_FAILED (the
     * plugin is then refused with `init_failed`; log why). Pairs of init and deinit may follow each
     * other; nested ones never happen. */
    int32_t (*init)(const aim_host* host);

    /* [load-thread] After the last session has ended. The library stays mapped. */
    void (*deinit)(void);

    /* [any-thread] The table for an interface id, or null when the plugin does not have it.
     * Compares the whole id. Also before init, where at least AIM_DESCRIPTOR_ID must answer. Tables
     * are static and immutable. */
    const void* (*get_interface)(const char* id);
} aim_entry;

/* The symbol, and the type of the function behind it. No side effects; callable at any time, also
 * before init. */
#define AIM_ENTRY_SYMBOL "aim_plugin_entry"
typedef const aim_entry* (*aim_plugin_entry_fn)(void);
AIM_EXPORT const aim_entry* aim_plugin_entry(void);

#ifdef __cplusplus
}
#endif

#endif /* AIM_ABI_ENTRY_H */
