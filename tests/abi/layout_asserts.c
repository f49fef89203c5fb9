/* Where every member of the ABI's structs stands on LP64, member by member. A red line here is
 * never cured by changing the number: a slot that moved breaks every plugin in the field. New
 * members go to the end and get lines of their own. Drafts are not pinned.
 *
 * layout_asserts.cpp compiles the same lines as C++. */
#include <stddef.h>

#include "aim/abi/aim_abi.h"

#ifdef __cplusplus
#define AIM_ASSERT(condition, text) static_assert(condition, text)
#else
#define AIM_ASSERT(condition, text) _Static_assert(condition, text)
#endif

#define AT(type, member, offset) \
    AIM_ASSERT(offsetof(type, member) == (offset), #type "." #member " has moved")
#define SIZE(type, size) AIM_ASSERT(sizeof(type) == (size), #type " has another size")

AIM_ASSERT(sizeof(void*) == 8 && sizeof(long) == 8, "these numbers are for LP64");

AT(aim_str, data, 0);
AT(aim_str, size, 8);
SIZE(aim_str, 16);

AT(aim_bytes, data, 0);
AT(aim_bytes, size, 8);
SIZE(aim_bytes, 16);

AT(aim_error, struct_size, 0);
AT(aim_error, kind, 4);
AT(aim_error, upstream_status, 8);
AT(aim_error, reserved, 12);
AT(aim_error, retry_after_ms, 16);
AT(aim_error, message, 24);
AT(aim_error, code, 40);
AT(aim_error, field, 56);
SIZE(aim_error, 72);

AT(aim_entry, struct_size, 0);
AT(aim_entry, abi_major, 4);
AT(aim_entry, abi_minor, 6);
AT(aim_entry, abi_minor_required, 8);
AT(aim_entry, reserved, 10);
AT(aim_entry, init, 16);
AT(aim_entry, deinit, 24);
AT(aim_entry, get_interface, 32);
SIZE(aim_entry, 40);

AT(aim_host, struct_size, 0);
AT(aim_host, abi_major, 4);
AT(aim_host, abi_minor, 6);
AT(aim_host, name, 8);
AT(aim_host, version, 24);
AT(aim_host, log_enabled, 40);
AT(aim_host, log, 48);
SIZE(aim_host, 56);

AT(aim_setting, struct_size, 0);
AT(aim_setting, flags, 4);
AT(aim_setting, name, 8);
AT(aim_setting, description, 24);
AT(aim_setting, default_value, 40);
SIZE(aim_setting, 56);

AT(aim_descriptor, struct_size, 0);
AT(aim_descriptor, reserved, 4);
AT(aim_descriptor, provider_id, 8);
AT(aim_descriptor, display_name, 24);
AT(aim_descriptor, vendor, 40);
AT(aim_descriptor, version, 56);
AT(aim_descriptor, default_endpoint, 72);
AT(aim_descriptor, alias_count, 88);
AT(aim_descriptor, setting_count, 92);
AT(aim_descriptor, host_count, 96);
AT(aim_descriptor, capability_count, 100);
AT(aim_descriptor, alias, 104);
AT(aim_descriptor, setting, 112);
AT(aim_descriptor, host, 120);
AT(aim_descriptor, capability, 128);
AT(aim_descriptor, row_settings_schema, 136);
SIZE(aim_descriptor, 152);

AT(aim_chat_message, struct_size, 0);
AT(aim_chat_message, role, 4);
AT(aim_chat_message, flags, 8);
AT(aim_chat_message, reserved, 12);
AT(aim_chat_message, text, 16);
AT(aim_chat_message, tool_call_id, 32);
SIZE(aim_chat_message, 48);

AT(aim_chat_request, struct_size, 0);
AT(aim_chat_request, flags, 4);
AT(aim_chat_request, json, 8);
AT(aim_chat_request, model, 24);
AT(aim_chat_request, endpoint, 40);
AT(aim_chat_request, max_tokens, 56);
AT(aim_chat_request, temperature, 64);
AT(aim_chat_request, top_p, 72);
AT(aim_chat_request, message_count, 80);
AT(aim_chat_request, reserved, 84);
AT(aim_chat_request, message, 88);
AT(aim_chat_request, impl, 96);
SIZE(aim_chat_request, 104);

AT(aim_http_builder, struct_size, 0);
AT(aim_http_builder, reserved, 4);
AT(aim_http_builder, context, 8);
AT(aim_http_builder, method, 16);
AT(aim_http_builder, url, 24);
AT(aim_http_builder, header, 32);
AT(aim_http_builder, body, 40);
AT(aim_http_builder, framing, 48);
SIZE(aim_http_builder, 56);

AT(aim_http_head, struct_size, 0);
AT(aim_http_head, status, 4);
AT(aim_http_head, header_count, 8);
AT(aim_http_head, reserved, 12);
AT(aim_http_head, header, 16);
AT(aim_http_head, find, 24);
AT(aim_http_head, impl, 32);
SIZE(aim_http_head, 40);

AT(aim_http_data, struct_size, 0);
AT(aim_http_data, reserved, 4);
AT(aim_http_data, bytes, 8);
AT(aim_http_data, event, 24);
AT(aim_http_data, id, 40);
SIZE(aim_http_data, 56);

AT(aim_usage, struct_size, 0);
AT(aim_usage, reserved, 4);
AT(aim_usage, prompt_tokens, 8);
AT(aim_usage, completion_tokens, 16);
AT(aim_usage, total_tokens, 24);
AT(aim_usage, cached_tokens, 32);
AT(aim_usage, cache_write_tokens, 40);
AT(aim_usage, reasoning_tokens, 48);
AT(aim_usage, json, 56);
SIZE(aim_usage, 72);

AT(aim_sink, struct_size, 0);
AT(aim_sink, reserved, 4);
AT(aim_sink, context, 8);
AT(aim_sink, text, 16);
AT(aim_sink, reasoning, 24);
AT(aim_sink, refusal, 32);
AT(aim_sink, tool_call, 40);
AT(aim_sink, usage, 48);
AT(aim_sink, finish, 56);
AT(aim_sink, extra, 64);
AT(aim_sink, error, 72);
AT(aim_sink, wait, 80);
AT(aim_sink, get_extension, 88);
SIZE(aim_sink, 96);

AT(aim_config, struct_size, 0);
AT(aim_config, reserved, 4);
AT(aim_config, row_settings, 8);
AT(aim_config, setting, 24);
AT(aim_config, impl, 32);
SIZE(aim_config, 40);

AT(aim_call, struct_size, 0);
AT(aim_call, reserved, 4);
AT(aim_call, now_unix_ms, 8);
AT(aim_call, sink, 16);
SIZE(aim_call, 24);

AT(aim_session_functions, struct_size, 0);
AT(aim_session_functions, reserved, 4);
AT(aim_session_functions, next_request, 8);
AT(aim_session_functions, on_head, 16);
AT(aim_session_functions, on_data, 24);
AT(aim_session_functions, on_end, 32);
AT(aim_session_functions, on_wake, 40);
AT(aim_session_functions, end, 48);
SIZE(aim_session_functions, 56);

AT(aim_chat, struct_size, 0);
AT(aim_chat, reserved, 4);
AT(aim_chat, create, 8);
AT(aim_chat, destroy, 16);
AT(aim_chat, begin, 24);
AT(aim_chat, session, 32);
SIZE(aim_chat, 40);

AT(aim_model_info, struct_size, 0);
AT(aim_model_info, reserved, 4);
AT(aim_model_info, id, 8);
AT(aim_model_info, display_name, 24);
AT(aim_model_info, context_window, 40);
AT(aim_model_info, max_output_tokens, 48);
AT(aim_model_info, capabilities, 56);
AT(aim_model_info, input_price_per_million, 72);
AT(aim_model_info, output_price_per_million, 88);
SIZE(aim_model_info, 104);

AT(aim_models_sink, struct_size, 0);
AT(aim_models_sink, reserved, 4);
AT(aim_models_sink, context, 8);
AT(aim_models_sink, model, 16);
SIZE(aim_models_sink, 24);

AT(aim_models, struct_size, 0);
AT(aim_models, reserved, 4);
AT(aim_models, create, 8);
AT(aim_models, destroy, 16);
AT(aim_models, begin, 24);
AT(aim_models, session, 32);
SIZE(aim_models, 40);

AT(aim_embeddings_request, struct_size, 0);
AT(aim_embeddings_request, flags, 4);
AT(aim_embeddings_request, json, 8);
AT(aim_embeddings_request, model, 24);
AT(aim_embeddings_request, endpoint, 40);
AT(aim_embeddings_request, dimensions, 56);
AT(aim_embeddings_request, input_count, 64);
AT(aim_embeddings_request, reserved, 68);
AT(aim_embeddings_request, input, 72);
AT(aim_embeddings_request, impl, 80);
SIZE(aim_embeddings_request, 88);

AT(aim_embeddings_sink, struct_size, 0);
AT(aim_embeddings_sink, reserved, 4);
AT(aim_embeddings_sink, context, 8);
AT(aim_embeddings_sink, embedding, 16);
SIZE(aim_embeddings_sink, 24);

AT(aim_embeddings, struct_size, 0);
AT(aim_embeddings, reserved, 4);
AT(aim_embeddings, create, 8);
AT(aim_embeddings, destroy, 16);
AT(aim_embeddings, begin, 24);
AT(aim_embeddings, session, 32);
SIZE(aim_embeddings, 40);
