/* A plugin that passes every check and misbehaves only while it serves: when the model is called
 * "misbehave". Any other model is answered with "fine". The including file defines F_ID and
 *
 *   R_MISBEHAVE   statements of begin for that model; `call` and `request` are there
 *   R_ANSWER      what it does after them: answers like a good plugin unless it says otherwise
 */
#ifndef AIM_TESTS_RUNTIME_H
#define AIM_TESTS_RUNTIME_H

#include <string.h>

#include "aim/abi/aim_abi.h"

#ifndef R_ANSWER
#define R_ANSWER r_answer(call);
#endif

static inline int r_is_bad(const aim_chat_request* request) {
    return request->model.size == 9 && memcmp(request->model.data, "misbehave", 9) == 0;
}

static inline void r_text(const aim_sink* sink, const char* text) {
    aim_str piece = {text, 0};
    piece.size = strlen(text);
    sink->text(sink->context, 0, piece);
}

static inline void r_answer(const aim_call* call) {
    r_text(call->sink, "fine");
    call->sink->finish(call->sink->context, 0, AIM_FINISH_STOP);
}

#define F_BEGIN              \
    if (r_is_bad(request)) { \
        R_MISBEHAVE          \
        R_ANSWER             \
    } else {                 \
        r_answer(call);      \
    }

#include "fixture.h"

#endif /* AIM_TESTS_RUNTIME_H */
