/* Its entry is smaller than that of ABI 1.0. */
#define F_STRUCT_SIZE 16
#include "fixture.h"
