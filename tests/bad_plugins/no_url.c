/* Describes a request without a URL. */
#define F_BEGIN \
    if (f_object == 0) return AIM_STEP_NEXT_REQUEST;
#include "fixture.h"
