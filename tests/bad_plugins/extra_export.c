/* Exports a function beside the entry (built without the version script). */
#include "fixture.h"

AIM_EXPORT int fixture_helper(void);
int fixture_helper(void) { return 1; }
