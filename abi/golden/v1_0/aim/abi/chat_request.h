/* The request as the host hands it to a plugin: the OpenAI chat completion object as JSON text, and
 * beside it the fields that nearly everyone needs, already parsed, so that a plugin in C can live
 * without a JSON parser. */
#ifndef AIM_ABI_CHAT_REQUEST_H
#define AIM_ABI_CHAT_REQUEST_H

#include "aim/abi/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define AIM_ROLE_OTHER 0
#define AIM_ROLE_SYSTEM 1
#define AIM_ROLE_DEVELOPER 2
#define AIM_ROLE_USER 3
#define AIM_ROLE_ASSISTANT 4
#define AIM_ROLE_TOOL 5

#define AIM_MESSAGE_HAS_PARTS \
    1u /* content was an array with something else than text: images, audio, files */
#define AIM_MESSAGE_HAS_TOOL_CALLS 2u /* an assistant message that calls tools */

/* One message. `text` is its content, or its text parts joined by nothing; empty when there is
 * none. What does not fit here is in the JSON. */
typedef struct aim_chat_message {
    uint32_t struct_size;
    int32_t role;   /* AIM_ROLE_… */
    uint32_t flags; /* AIM_MESSAGE_… */
    uint32_t reserved;
    aim_str text;
    aim_str tool_call_id; /* of a tool message; else empty */
} aim_chat_message;

#define AIM_CHAT_STREAM 1u           /* the caller wants deltas as they come */
#define AIM_CHAT_HAS_TOOLS 2u        /* `tools` is a non-empty array */
#define AIM_CHAT_HAS_PARTS 4u        /* a message has AIM_MESSAGE_HAS_PARTS */
#define AIM_CHAT_HAS_TOOL_TURNS 8u   /* a message calls a tool or answers a call */
#define AIM_CHAT_HAS_JSON_SCHEMA 16u /* response_format is json_schema */

/* Valid for the call to begin(); everything in it is read-only. */
typedef struct aim_chat_request {
    uint32_t struct_size;
    uint32_t flags; /* AIM_CHAT_… */

    /* The whole object. It has been parsed by the host: it is one valid JSON object, no deeper than
     * 64 levels, in valid UTF-8. `model` is the model as the provider calls it and `stream` is as
     * in `flags` (with stream_options.include_usage when set), both at the object's front, so an
     * OpenAI-compatible provider may be sent this text as it is. The gateway's own fields are gone.
     * Unknown fields are kept. */
    aim_str json;
    aim_str model;    /* the same as in the JSON */
    aim_str endpoint; /* the row's endpoint or the descriptor's default; without '/' at the end */

    int64_t max_tokens; /* max_completion_tokens, else max_tokens; -1 = not given */
    double temperature; /* NaN = not given */
    double top_p;       /* NaN = not given */

    uint32_t message_count; /* at least 1 */
    uint32_t reserved;

    /* Message i < message_count; null for any other i. The pointer is good until begin() returns.
     */
    const aim_chat_message* (*message)(const struct aim_chat_request* request, uint32_t i);

    const void* impl; /* the host's */
} aim_chat_request;

#ifdef __cplusplus
}
#endif

#endif /* AIM_ABI_CHAT_REQUEST_H */
