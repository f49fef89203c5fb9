/* Its note names another id than its descriptor. */
#include "fixture.h"

AIM_PLUGIN_NOTE("other", "1.0.0");
