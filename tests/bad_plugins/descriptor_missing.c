/* Has no descriptor. */
#define F_DESCRIPTOR NULL
#include "fixture.h"
