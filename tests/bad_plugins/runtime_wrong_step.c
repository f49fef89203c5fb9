/* Returns a step that does not exist. */
#define F_ID "runtime_wrong_step"
#define R_MISBEHAVE return 99;
#include "runtime.h"
