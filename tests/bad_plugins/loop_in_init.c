/* Never returns from init. */
#define F_INIT                                      \
    for (volatile int forever = 1; forever != 0;) { \
    }
#include "fixture.h"
