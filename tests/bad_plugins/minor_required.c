/* Cannot live with the minor of this host. */
#define F_MINOR_REQUIRED 9999
#include "fixture.h"
