/* Ends the process in init, as if all were well. */
#define F_INIT exit(0);
#include "fixture.h"
