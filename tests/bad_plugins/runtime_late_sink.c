/* Keeps its session's sink and uses it when the session is over. */
#include "aim/abi/aim_abi.h"

static const aim_sink* kept;
static void late_end(void* session);

#define F_ID "runtime_late_sink"
#define F_SLOT late_end
#define R_MISBEHAVE kept = call->sink;
#include "runtime.h"

static void late_end(void* session) {
    (void)session;
    if (kept != NULL) r_text(kept, "too late");
    kept = NULL;
}
