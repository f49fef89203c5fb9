/* DRAFT of interface "aim.embeddings/1": vectors for texts. A draft may change without notice until
 * it moves to ext/; its id stays. */
#ifndef AIM_ABI_DRAFT_EMBEDDINGS_H
#define AIM_ABI_DRAFT_EMBEDDINGS_H

#include "aim/abi/provider.h"

#ifdef __cplusplus
extern "C" {
#endif

#define AIM_EMBEDDINGS_ID "aim.embeddings/1"
#define AIM_EMBEDDINGS_SINK_ID "aim.embeddings_sink/1"

/* Valid for the call to begin. */
typedef struct aim_embeddings_request {
    uint32_t struct_size;
    uint32_t reserved;
    aim_str json; /* OpenAI's request object, `model` as the provider calls it */
    aim_str model;
    aim_str endpoint;
    int64_t dimensions;   /* -1 = not given */
    uint32_t input_count; /* at least 1 */
    uint32_t reserved2;

    /* Input i as text. AIM_FAILED for other i, and when the input is an array of token ids (then
     * see the JSON). */
    int32_t (*input)(const struct aim_embeddings_request* request, uint32_t i, aim_str* text);

    const void* impl; /* the host's */
} aim_embeddings_request;

/* From sink->get_extension(sink->context, AIM_EMBEDDINGS_SINK_ID); usage and errors go to the sink
 * itself. */
typedef struct aim_embeddings_sink {
    uint32_t struct_size;
    uint32_t reserved;
    void* context;
    /* The vector of input `index`; the host copies `count` floats. */
    void (*embedding)(void* context, uint32_t index, const float* values, uint64_t count);
} aim_embeddings_sink;

typedef struct aim_embeddings {
    uint32_t struct_size;
    uint32_t reserved;
    int32_t (*create)(const aim_config* config, const aim_call* call,
                      void** provider); /* as in aim_chat */
    void (*destroy)(void* provider);
    int32_t (*begin)(void* provider, const aim_call* call, const aim_embeddings_request* request,
                     uint64_t seed, void** session);
    const aim_session_functions* session;
} aim_embeddings;

#ifdef __cplusplus
}
#endif

#endif /* AIM_ABI_DRAFT_EMBEDDINGS_H */
