/* Does not come back from begin as long as the file is there that its endpoint's path names, and
 * then answers well: a hang that a test can end. */
#include <string.h>
#include <sys/stat.h>

#include "aim/abi/aim_abi.h"

static int is_held(aim_str endpoint) {
    char path[512];
    struct stat facts;
    const char* slash = memchr(endpoint.data + 8, '/', (size_t)endpoint.size - 8);
    size_t size;
    if (slash == NULL) return 0;
    size = (size_t)(endpoint.data + endpoint.size - slash);
    if (size >= sizeof(path)) return 0;
    memcpy(path, slash, size);
    path[size] = '\0';
    return stat(path, &facts) == 0;
}

#define F_ID "runtime_holds"
#define R_MISBEHAVE                      \
    while (is_held(request->endpoint)) { \
    }
#include "runtime.h"
