/* Its init refuses. */
#define F_INIT \
    if (f_object == 0) return AIM_FAILED;
#include "fixture.h"
