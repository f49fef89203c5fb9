/* Returns a step that does not exist. */
#define F_BEGIN \
    if (f_object == 0) return 4711;
#include "fixture.h"
