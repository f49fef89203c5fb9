/* Returns a step that does not exist, but only for one in twenty seeds: what a fuzzer finds. */
#define F_BEGIN                       \
    if (seed % 20 == 13) return 4711; \
    call->sink->finish(call->sink->context, 0, AIM_FINISH_STOP);
#include "fixture.h"
