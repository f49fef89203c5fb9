/* Its version is not three numbers. */
#define F_VERSION "v1"
#include "fixture.h"
