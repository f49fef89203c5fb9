#pragma once

#include <cstddef>

#include <malloc.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#include <sanitizer/allocator_interface.h>
#define AIM_SANITIZER_ALLOCATES 1
#endif
#endif

namespace aim::testing {

// The bytes of this process's heap that are in use, over all threads; also where a sanitizer's
// allocator is in place of the C library's.
inline std::size_t AllocatedBytes() {
#ifdef AIM_SANITIZER_ALLOCATES
    return __sanitizer_get_current_allocated_bytes();
#else
    const struct mallinfo2 info = ::mallinfo2();
    return info.uordblks + info.hblkhd;
#endif
}

}  // namespace aim::testing
