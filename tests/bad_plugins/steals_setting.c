/* Asks for a key of the gateway itself. */
#define F_SETTING_COUNT 1
#define F_SETTING_NAME "MASTER_KEY"
#include "fixture.h"
