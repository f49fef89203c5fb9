/* Interface "aim.embeddings/1": vectors for texts. Sessions run as those of chat do; instead of
 * text they put vectors into the sink's extension. */
#ifndef AIM_ABI_EXT_EMBEDDINGS_H
#define AIM_ABI_EXT_EMBEDDINGS_H

#include "aim/abi/provider.h"

#ifdef __cplusplus
extern "C" {
#endif

#define AIM_EMBEDDINGS_ID "aim.embeddings/1"
#define AIM_EMBEDDINGS_SINK_ID "aim.embeddings_sink/1"

#define AIM_EMBEDDINGS_HAS_TOKENS 1u /* the inputs are arrays of token ids: see the JSON */

/* Valid for the call to begin; everything in it is read-only. */
typedef struct aim_embeddings_request {
    uint32_t struct_size;
    uint32_t flags; /* AIM_EMBEDDINGS_… */

    /* OpenAI's request object, parsed by the host as a chat's is. `model` is the model as the
     * provider calls it and stands in front; `input` is as the caller gave it. `encoding_format` is
     * gone: it is the caller's affair and the host's; a plugin asks its provider for what it reads
     * best. */
    aim_str json;
    aim_str model;        /* the same as in the JSON */
    aim_str endpoint;     /* the row's endpoint or the descriptor's default */
    int64_t dimensions;   /* -1 = not given */
    uint32_t input_count; /* at least 1 */
    uint32_t reserved;

    /* Input i as text, good until begin returns. AIM_FAILED for other i, and when the inputs are
     * arrays of token ids. */
    int32_t (*input)(const struct aim_embeddings_request* request, uint32_t i, aim_str* text);

    const void* impl; /* the host's */
} aim_embeddings_request;

/* From sink->get_extension(sink->context, AIM_EMBEDDINGS_SINK_ID); the rules of aim_sink hold.
 * Usage and errors go to the sink itself; there is no text and no finish. */
typedef struct aim_embeddings_sink {
    uint32_t struct_size;
    uint32_t reserved;
    void* context;

    /* The vector of input `index`, once for each; the host copies `count` floats. All vectors of a
     * session have the same number of values, at least 1, and all values are finite. A session that
     * returns DONE before every input has its vector is treated as truncated. */
    void (*embedding)(void* context, uint32_t index, const float* values, uint64_t count);
} aim_embeddings_sink;

typedef struct aim_embeddings {
    uint32_t struct_size;
    uint32_t reserved;

    /* [any-thread] As in aim_chat. */
    int32_t (*create)(const aim_config* config, const aim_call* call, void** provider);
    void (*destroy)(void* provider);
    int32_t (*begin)(void* provider, const aim_call* call, const aim_embeddings_request* request,
                     uint64_t seed, void** session);
    const aim_session_functions* session;
} aim_embeddings;

#ifdef __cplusplus
}
#endif

#endif /* AIM_ABI_EXT_EMBEDDINGS_H */
