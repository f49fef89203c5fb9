/* Computes for 80 ms in every call, and then answers well. */
#define _POSIX_C_SOURCE 199309L
#include <time.h>

static void burn(void) {
    struct timespec now;
    long long end;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    end = now.tv_sec * 1000000000LL + now.tv_nsec + 80000000LL;
    do clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    while (now.tv_sec * 1000000000LL + now.tv_nsec < end);
}

#define F_ID "runtime_slow"
#define R_MISBEHAVE burn();
#include "runtime.h"
