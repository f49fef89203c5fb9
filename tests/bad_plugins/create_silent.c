/* Refuses its settings without saying why. */
#define F_CREATE \
    if (f_object == 0) return AIM_FAILED;
#include "fixture.h"
