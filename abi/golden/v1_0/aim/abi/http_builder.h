/* How a plugin describes an HTTP request, and how it sees the answer. The host owns sockets, TLS,
 * redirects (none are followed), compression and time limits. */
#ifndef AIM_ABI_HTTP_BUILDER_H
#define AIM_ABI_HTTP_BUILDER_H

#include "aim/abi/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How the host cuts the answer's body for on_data. WHOLE is what a session gets, whatever it asked
 * for, when the status is other than 2xx, and when it asked for SSE and the content type is
 * application/json (a provider that cannot stream, or an error inside a 200). */
#define AIM_FRAMING_WHOLE                                                                      \
    0 /* once, at its end: all of it, of a cut one what came (on_end tells); not called for an \
         empty body */
#define AIM_FRAMING_RAW 1 /* as the bytes arrive */
#define AIM_FRAMING_SSE 2 /* an event at a time (WHATWG server-sent events), comments left out */
#define AIM_FRAMING_JSON_LINES 3 /* a line at a time, without its end; empty lines left out */

/* Given to next_request; valid for that call. All functions copy. AIM_FAILED means that the
 * argument was refused (bad URL, header with a line end, unknown slot, too large): the host ends
 * the session with AIM_ERROR_INTERNAL after next_request returns, and has logged why. */
typedef struct aim_http_builder {
    uint32_t struct_size;
    uint32_t reserved;
    void* context; /* the host's; the first argument of every function */

    int32_t (*method)(void* context,
                      aim_str method); /* default "POST" when there is a body, else "GET" */

    /* Absolute, http or https. Secrets do not belong here: slots are not filled in. */
    int32_t (*url)(void* context, aim_str url);

    /* Adds a header. `{NAME}` in the value is the slot of setting NAME; the host fills it in when
     * it sends, and refuses to when the URL's host is not one that the secret may go to. `{{` is a
     * plain '{', `}}` a plain '}'. The host itself sets Host, Content-Length, Connection,
     * Accept-Encoding and User-Agent. */
    int32_t (*header)(void* context, aim_str name, aim_str value_template);

    /* Appends to the body; several calls make one body. */
    int32_t (*body)(void* context, aim_bytes piece);

    int32_t (*framing)(void* context, int32_t framing); /* AIM_FRAMING_…; default WHOLE */
} aim_http_builder;

/* Status and headers of an answer. Interim answers (1xx) are not shown. Names are lower case. */
typedef struct aim_http_head {
    uint32_t struct_size;
    uint32_t status;
    uint32_t header_count;
    uint32_t reserved;

    /* Header i < header_count in the order of arrival. AIM_OK or AIM_FAILED. */
    int32_t (*header)(const struct aim_http_head* head, uint32_t i, aim_str* name, aim_str* value);

    /* The first header of this name (any case): AIM_OK and *value, or AIM_FAILED and *value
     * untouched. */
    int32_t (*find)(const struct aim_http_head* head, aim_str name, aim_str* value);

    const void* impl; /* the host's */
} aim_http_head;

/* One piece of a body as the framing cuts it. */
typedef struct aim_http_data {
    uint32_t struct_size;
    uint32_t reserved;
    aim_bytes bytes; /* of an SSE event: its data lines joined by '\n' */
    aim_str event;   /* SSE only: the event's name, empty when it had none */
    aim_str id;      /* SSE only: the last event id, may be empty */
} aim_http_data;

/* How an answer ended, for on_end. An ending that a plugin does not know is one other than
 * COMPLETE.
 *
 * NOT_CONNECTED: there is no answer. No connection could be made, or it broke before a head came;
 * on_head was not called for this request. Told of a session's second and later requests only: of
 * the first the host knows enough by itself. When the session fails then, the host's own error
 * counts. */
#define AIM_END_COMPLETE                                                                    \
    0 /* all bytes that were announced arrived; for SSE and RAW this says nothing about the \
         provider's own terminator */
#define AIM_END_TRUNCATED 1 /* the connection broke, was reset or ended early */
#define AIM_END_TOO_LARGE 2 /* over the host's limit for a line, an event or a body */
#define AIM_END_MALFORMED 3 /* not HTTP, or not the framing that was asked for */
#define AIM_END_NOT_CONNECTED 4

#ifdef __cplusplus
}
#endif

#endif /* AIM_ABI_HTTP_BUILDER_H */
