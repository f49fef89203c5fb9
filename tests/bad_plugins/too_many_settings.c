/* Says that it has four billion settings. */
#define F_SETTING_COUNT 0xFFFFFFFFu
#include "fixture.h"
