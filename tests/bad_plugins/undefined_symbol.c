/* Calls a function that nobody has (built without -z defs). */
int fixture_nobody_has_this(void);
#define F_INIT \
    if (fixture_nobody_has_this() == 0) return AIM_FAILED;
#include "fixture.h"
