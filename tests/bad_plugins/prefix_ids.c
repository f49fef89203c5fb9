/* Compares only the front of an interface id. */
#define F_SAME(a, b) (strncmp(a, b, sizeof(b) - 1) == 0)
#include "fixture.h"
