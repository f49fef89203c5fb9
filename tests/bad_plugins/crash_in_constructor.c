/* Crashes while it is being loaded. */
#include "fixture.h"

__attribute__((constructor)) static void crash(void) { __builtin_trap(); }
