/* Crashes in init. */
#define F_INIT abort();
#include "fixture.h"
