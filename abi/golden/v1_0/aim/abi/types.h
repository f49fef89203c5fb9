/* Types that every other header of the ABI uses.
 *
 * Rules that hold for all of them (numbers refer to abi/docs/rules.md):
 *  - Integers have fixed widths. Enumerations are int32_t or uint32_t with constants, and a reader
 * treats an unknown value as the documented default.
 *  - Every struct that crosses begins with `struct_size`, filled in by whoever made it with its own
 * sizeof. A reader looks at a member only when struct_size covers it (AIM_HAS). Structs grow at the
 * end only, and are never put into arrays: lists go by count and get(i).
 *  - What one side gives to the other as a pointer is valid until the call returns, unless the
 * comment says otherwise; the receiver copies what it wants to keep. Nobody frees what the other
 * side has made.
 *  - Reserved members are zero.
 */
#ifndef AIM_ABI_TYPES_H
#define AIM_ABI_TYPES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Text: UTF-8, not ended by NUL, may hold any character but NUL. `data` may be null when size is 0.
 */
typedef struct aim_str {
    const char* data;
    uint64_t size;
} aim_str;

/* Bytes of any kind. `data` may be null when size is 0. */
typedef struct aim_bytes {
    const uint8_t* data;
    uint64_t size;
} aim_bytes;

/* True when the struct that `pointer` points to was made by someone who knew `member`. */
#define AIM_HAS(pointer, type, member) \
    ((pointer)->struct_size >= offsetof(type, member) + sizeof((pointer)->member))

#ifdef __cplusplus
}
#endif

#endif /* AIM_ABI_TYPES_H */
