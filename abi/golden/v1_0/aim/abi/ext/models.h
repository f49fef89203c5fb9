/* Interface "aim.models/1": asks a provider which models the key may use. Sessions run as those of
 * chat do; instead of text they put models into the sink's extension. */
#ifndef AIM_ABI_EXT_MODELS_H
#define AIM_ABI_EXT_MODELS_H

#include "aim/abi/provider.h"

#ifdef __cplusplus
extern "C" {
#endif

#define AIM_MODELS_ID "aim.models/1"
#define AIM_MODELS_SINK_ID "aim.models_sink/1"

/* One model of the provider. */
typedef struct aim_model_info {
    uint32_t struct_size;
    uint32_t reserved;
    aim_str id;                      /* as a request names it */
    aim_str display_name;            /* may be empty */
    int64_t context_window;          /* tokens, -1 = unknown */
    int64_t max_output_tokens;       /* -1 = unknown */
    aim_str capabilities;            /* words of a model row separated by spaces; empty = unknown */
    aim_str input_price_per_million; /* USD as a decimal string; empty = unknown */
    aim_str output_price_per_million;
} aim_model_info;

/* From sink->get_extension(sink->context, AIM_MODELS_SINK_ID); the rules of aim_sink hold. */
typedef struct aim_models_sink {
    uint32_t struct_size;
    uint32_t reserved;
    void* context;
    void (*model)(void* context, const aim_model_info* model);
} aim_models_sink;

typedef struct aim_models {
    uint32_t struct_size;
    uint32_t reserved;

    /* [any-thread] As in aim_chat. `endpoint` is the base URL to ask. */
    int32_t (*create)(const aim_config* config, const aim_call* call, void** provider);
    void (*destroy)(void* provider);
    int32_t (*begin)(void* provider, const aim_call* call, aim_str endpoint, uint64_t seed,
                     void** session);
    const aim_session_functions* session;
} aim_models;

#ifdef __cplusplus
}
#endif

#endif /* AIM_ABI_EXT_MODELS_H */
