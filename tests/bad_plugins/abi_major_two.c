/* Built for the next major of the ABI: its entry says so. */
#define F_MAJOR 2
#include "fixture.h"
