/* Uses the sink of a session that has ended in the next session's call. */
#include "aim/abi/aim_abi.h"

static const aim_sink* kept;

#define F_ID "runtime_stale_sink"
#define R_MISBEHAVE                                            \
    if (kept != NULL) r_text(kept, "words for somebody else"); \
    kept = call->sink;
#include "runtime.h"
