/* Crashes when it is asked for its entry. */
#define F_ENTRY __builtin_trap();
#include "fixture.h"
