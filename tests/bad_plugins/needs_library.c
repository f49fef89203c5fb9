/* Needs a library that is no part of the C run time. */
int fixture_dependency(void);
#define F_INIT \
    if (fixture_dependency() == 0) return AIM_FAILED;
#include "fixture.h"
