/* What functions return, and what an error is. */
#ifndef AIM_ABI_STATUS_H
#define AIM_ABI_STATUS_H

#include "aim/abi/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Result of functions that only succeed or fail. Anything but AIM_OK is a failure; out-parameters
 * are then untouched. */
#define AIM_OK 0
#define AIM_FAILED (-1)

/* What a session wants next: the result of begin, on_head, on_data, on_end and on_wake. Type
 * int32_t; a value that is not listed is misbehaviour and ends the session as AIM_STEP_FAILED with
 * AIM_ERROR_INTERNAL.
 *
 *                begin  on_head  on_data  on_end  on_wake
 *  FAILED          x       x        x        x       x      an error was given to the sink before;
 * terminal CONTINUE        -       x        x        -       -      go on with this answer
 *  NEXT_REQUEST    x       x        x        x       x      call next_request; a body that is still
 * arriving is dropped WAIT            x       x        x        x       x      call on_wake after
 * the time given to sink->wait; as above DONE            x       x        x        x       x
 * everything was given to the sink; terminal
 *
 * After a terminal step only end() is called. */
#define AIM_STEP_FAILED (-1)
#define AIM_STEP_CONTINUE 0
#define AIM_STEP_NEXT_REQUEST 1
#define AIM_STEP_WAIT 2
#define AIM_STEP_DONE 3

/* Error kinds: the caller's fault, the key's, the model's, the provider's, or ours. The host
 * decides from the kind alone whether it tries another model, parks this one or answers the caller
 * (design of the gateway, "failure policy"). Unknown values count as INTERNAL. */
#define AIM_ERROR_INVALID_REQUEST \
    1 /* the provider refuses this request; another provider would too */
#define AIM_ERROR_UNAUTHENTICATED 2 /* the key is wrong or missing */
#define AIM_ERROR_FORBIDDEN \
    3 /* the key is good but may not do this (region, terms, organisation) */
#define AIM_ERROR_QUOTA_EXHAUSTED 4 /* paid or daily quota is used up; retry only after a reset */
#define AIM_ERROR_MODEL_NOT_FOUND 5 /* no such model for this key, or it was retired */
#define AIM_ERROR_RATE_LIMITED \
    6 /* too many requests or tokens a time; retry_after_ms when the provider says it */
#define AIM_ERROR_CONTEXT_TOO_LONG 7  /* prompt plus answer do not fit the model's window */
#define AIM_ERROR_CONTENT_FILTERED 8  /* refused by a safety rule before any answer */
#define AIM_ERROR_OVERLOADED 9        /* the provider has no capacity now */
#define AIM_ERROR_UPSTREAM_FAILURE 10 /* the provider failed: 5xx, reset, truncated */
#define AIM_ERROR_UPSTREAM_TIMEOUT \
    11 /* the provider (or the way to it) was too slow: 408, 504, 524 */
#define AIM_ERROR_PROTOCOL_ERROR 12 /* the provider's answer cannot be understood */
#define AIM_ERROR_UNSUPPORTED \
    13 /* this plugin or model cannot do what the request asks for; names the field */
#define AIM_ERROR_CANCELLED 14 /* nobody waits for the answer any more */
#define AIM_ERROR_INTERNAL 15  /* a fault of the plugin or host */

/* One failure in full. Given once, before AIM_STEP_FAILED is returned. */
typedef struct aim_error {
    uint32_t struct_size;
    int32_t kind;            /* AIM_ERROR_… */
    int32_t upstream_status; /* HTTP status, 0 when there was none */
    int32_t reserved;
    int64_t retry_after_ms; /* from now; -1 = the provider gave no hint */
    aim_str message;        /* for people; must hold no secret. The host cuts it at 4 KiB */
    aim_str code;           /* the provider's own code ("rate_limit_exceeded"), may be empty */
    aim_str field;          /* the request's field that is to blame ("messages"), may be empty */
} aim_error;

#ifdef __cplusplus
}
#endif

#endif /* AIM_ABI_STATUS_H */
