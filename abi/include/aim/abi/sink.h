/* Where a session puts what it understood. The host copies during the call; all functions are
 * callable only during the call of the session that the sink was given to, on that thread, and not
 * after the session's terminal step. Calls against these rules are counted as misbehaviour. */
#ifndef AIM_ABI_SINK_H
#define AIM_ABI_SINK_H

#include "aim/abi/status.h"
#include "aim/abi/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define AIM_FINISH_STOP 1
#define AIM_FINISH_LENGTH 2
#define AIM_FINISH_TOOL_CALLS 3
#define AIM_FINISH_CONTENT_FILTER 4

/* Token counts. -1 = the provider did not say, which is not the same as 0. Cumulative: a later call
 * replaces the earlier values that it names, values of -1 leave them. Reasoning and cached tokens
 * are parts of completion and prompt, not additions. */
typedef struct aim_usage {
    uint32_t struct_size;
    uint32_t reserved;
    int64_t prompt_tokens;
    int64_t completion_tokens;
    int64_t total_tokens;
    int64_t cached_tokens;
    int64_t cache_write_tokens;
    int64_t reasoning_tokens;
    aim_str json; /* the provider's own usage object as it came, or empty; kept whole beside the
                     numbers */
} aim_usage;

/* Where an extra field belongs. Unknown scopes are ignored. */
#define AIM_SCOPE_RESPONSE 0 /* beside `choices` */
#define AIM_SCOPE_CHOICE 1   /* beside `message`: logprobs */
#define AIM_SCOPE_MESSAGE \
    2 /* inside `message` or `delta`: annotations, thinking blocks with their signatures */
#define AIM_SCOPE_TOOL_CALL 3 /* inside a tool call: extra_content */

typedef struct aim_sink {
    uint32_t struct_size;
    uint32_t reserved;
    void* context; /* the host's; the first argument of every function */

    /* Answer text, reasoning text and refusal text of choice `choice` (0 unless n > 1). Pieces may
     * end inside a character; the whole must be UTF-8, bytes that are not become U+FFFD. Empty text
     * is ignored. */
    void (*text)(void* context, uint32_t choice, aim_str text);
    void (*reasoning)(void* context, uint32_t choice, aim_str text);
    void (*refusal)(void* context, uint32_t choice, aim_str text);

    /* A piece of tool call `index` (from 0, without gaps, in order of first appearance). id and
     * name come with the first piece and are empty in the later ones; an empty id in the first
     * piece lets the host make one. `arguments` are fragments of JSON text. */
    void (*tool_call)(void* context, uint32_t choice, uint32_t index, aim_str id, aim_str name,
                      aim_str arguments);

    void (*usage)(void* context, const aim_usage* usage);

    /* Once for each choice: why it ended. A session that returns DONE without it is treated as
     * truncated. */
    void (*finish)(void* context, uint32_t choice,
                   int32_t reason); /* AIM_FINISH_…; unknown = stop */

    /* A field that the caller shall get although the gateway does not know it: `json` is one valid
     * JSON value. `index` is the tool call's, else 0. The same name in the same place again: a
     * stream passes each on as it comes, in a whole answer the last one stands. So the host joins
     * nothing: an array or an object that the provider sends in pieces is collected by the session
     * and given once and whole. In a stream it goes out with what the same choice put out last
     * before it (a text, then its logprobs), or alone. */
    void (*extra)(void* context, int32_t scope, uint32_t choice, uint32_t index, aim_str name,
                  aim_str json);

    /* Why the session fails; the first call counts. */
    void (*error)(void* context, const aim_error* error);

    /* The time for a step AIM_STEP_WAIT, from now. The host cuts it at 60 s and at its own
     * deadlines. */
    void (*wait)(void* context, uint64_t milliseconds);

    /* A table for another kind of output ("aim.models_sink/1"), or null. Valid as long as the sink.
     */
    const void* (*get_extension)(void* context, const char* id);
} aim_sink;

#ifdef __cplusplus
}
#endif

#endif /* AIM_ABI_SINK_H */
