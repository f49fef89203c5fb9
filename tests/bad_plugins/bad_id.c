/* Its id is not what an id may be. */
#define F_ID "Not An Id"
#include "fixture.h"
