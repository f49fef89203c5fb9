/* Names every type of the ABI in one exported function, so that abidiff sees them all. */
#include "aim/abi/aim_abi.h"

AIM_EXPORT void aim_abi_surface(const aim_entry* entry, const aim_host* host,
                                const aim_descriptor* descriptor, const aim_config* config,
                                const aim_call* call, const aim_chat* chat,
                                const aim_chat_request* request, const aim_http_builder* builder,
                                const aim_http_head* head, const aim_http_data* data,
                                const aim_usage* usage, const aim_error* error,
                                const aim_models* models, const aim_models_sink* sink,
                                const aim_model_info* info, const aim_embeddings* embeddings,
                                const aim_embeddings_sink* vectors,
                                const aim_embeddings_request* inputs);

void aim_abi_surface(const aim_entry* entry, const aim_host* host, const aim_descriptor* descriptor,
                     const aim_config* config, const aim_call* call, const aim_chat* chat,
                     const aim_chat_request* request, const aim_http_builder* builder,
                     const aim_http_head* head, const aim_http_data* data, const aim_usage* usage,
                     const aim_error* error, const aim_models* models, const aim_models_sink* sink,
                     const aim_model_info* info, const aim_embeddings* embeddings,
                     const aim_embeddings_sink* vectors, const aim_embeddings_request* inputs) {
    (void)entry, (void)host, (void)descriptor, (void)config, (void)call, (void)chat, (void)request,
        (void)builder;
    (void)head, (void)data, (void)usage, (void)error, (void)models, (void)sink, (void)info;
    (void)embeddings, (void)vectors, (void)inputs;
}
