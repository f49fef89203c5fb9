/* Interface "aim.chat/1": what a chat provider implements. A session is a pure state machine over
 * (config, request, bytes, now, seed): no I/O, no clock, no randomness of its own, so that it can
 * be replayed byte by byte.
 *
 *   begin ─▶ NEXT_REQUEST ─▶ next_request ─▶ on_head ─▶ on_data* ─▶ on_end ─▶ DONE
 *     │                          ▲              any of on_head, on_data, on_end, on_wake may return
 * NEXT_REQUEST (another round trip: create, then poll), └─▶ WAIT ─▶ on_wake ───────┘ WAIT (the host
 * owns the timer), DONE or FAILED
 *
 * end() follows in every state, once: after a terminal step, or at any time when the host gives up
 * (the caller left, a time limit). */
#ifndef AIM_ABI_PROVIDER_H
#define AIM_ABI_PROVIDER_H

#include "aim/abi/chat_request.h"
#include "aim/abi/http_builder.h"
#include "aim/abi/sink.h"
#include "aim/abi/status.h"
#include "aim/abi/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a plugin gets to know about a model row. Valid for the call to create. Secrets are not among
 * the values; whether one is set is. */
typedef struct aim_config {
    uint32_t struct_size;
    uint32_t reserved;
    aim_str row_settings; /* the row's `settings` as one JSON object, "{}" when there are none */

    /* AIM_OK and the value (environment or default) of a setting of the descriptor that is not
     * secret; AIM_FAILED when it has no value, is secret or is unknown. */
    int32_t (*setting)(const struct aim_config* config, aim_str name, aim_str* value);

    const void* impl; /* the host's */
} aim_config;

/* What every session function gets. */
typedef struct aim_call {
    uint32_t struct_size;
    uint32_t reserved;
    uint64_t now_unix_ms;
    const aim_sink* sink;
} aim_call;

/* The functions of a session, shared by all interfaces that talk to a provider. `session` is what
 * begin made. */
typedef struct aim_session_functions {
    uint32_t struct_size;
    uint32_t reserved;

    /* [session] Describe the request. AIM_OK, or AIM_FAILED after call->sink->error. */
    int32_t (*next_request)(void* session, const aim_call* call, const aim_http_builder* builder);

    /* [session] The answer's status and headers, once. Returns a step. */
    int32_t (*on_head)(void* session, const aim_call* call, const aim_http_head* head);

    /* [session] A piece of the body. Returns a step. */
    int32_t (*on_data)(void* session, const aim_call* call, const aim_http_data* data);

    /* [session] The body is over. `how` is AIM_END_…; only after COMPLETE may the session call the
     * answer whole. After any ending it may ask again (NEXT_REQUEST, or WAIT first): a poll that
     * broke off says nothing about the job. Returns a step. */
    int32_t (*on_end)(void* session, const aim_call* call, int32_t how);

    /* [session] The wait is over. Returns a step. */
    int32_t (*on_wake)(void* session, const aim_call* call);

    /* [session] Frees the session. Null is allowed and does nothing. */
    void (*end)(void* session);
} aim_session_functions;

#define AIM_CHAT_ID "aim.chat/1"

typedef struct aim_chat {
    uint32_t struct_size;
    uint32_t reserved;

    /* [any-thread] Checks a row's settings and makes what its sessions share; read-only afterwards.
     * AIM_OK and *provider, or AIM_FAILED after call->sink->error (INVALID_REQUEST, `field` names
     * the setting): the row is then shown as not configured. */
    int32_t (*create)(const aim_config* config, const aim_call* call, void** provider);

    /* [load-thread] After its last session. Null is allowed. */
    void (*destroy)(void* provider);

    /* [any-thread] Starts a session. `seed` is random for each session and the same in a replay.
     * Returns a step; *session is set unless FAILED. */
    int32_t (*begin)(void* provider, const aim_call* call, const aim_chat_request* request,
                     uint64_t seed, void** session);

    const aim_session_functions* session;
} aim_chat;

#ifdef __cplusplus
}
#endif

#endif /* AIM_ABI_PROVIDER_H */
