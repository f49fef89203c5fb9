/* Its note names another major: refused before any of its code runs (which would crash). */
#define F_ENTRY abort();
#include "fixture.h"

#undef AIM_ABI_MAJOR
#define AIM_ABI_MAJOR 2
AIM_PLUGIN_NOTE("fixture", "1.0.0");
