/* Never returns from begin. */
#define F_BEGIN                                     \
    for (volatile int forever = 1; forever != 0;) { \
    }
#include "fixture.h"
