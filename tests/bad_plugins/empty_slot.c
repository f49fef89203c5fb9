/* A slot of its session table is null. */
#define F_SLOT NULL
#include "fixture.h"
