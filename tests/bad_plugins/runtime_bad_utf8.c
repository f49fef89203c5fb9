/* Text that is no UTF-8: not counted, for a provider may have sent it; repaired on its way. */
#define F_ID "runtime_bad_utf8"
#define R_MISBEHAVE        \
    r_text(call->sink,     \
           "a\xff\xc0\xaf" \
           "b\xed\xa0\x80" \
           "c");
#include "runtime.h"
