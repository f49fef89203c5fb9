#include "core/plugin/request_view.hpp"

#include "core/plugin/abi_text.hpp"

namespace aim::plugin {
namespace {

const aim_chat_message* GetMessage(const aim_chat_request* request, uint32_t i) {
    if (request == nullptr || i >= request->message_count) return nullptr;
    return &(*static_cast<const std::vector<aim_chat_message>*>(request->impl))[i];
}

}  // namespace

RequestView::RequestView(const completion::ChatRequest& request, std::string_view model,
                         std::string_view model_json, std::string_view endpoint) {
    json_.reserve(request.members.size() + model_json.size() + 80);
    json_.append("{\"model\":").append(model_json);
    json_.append(request.stream ? ",\"stream\":true,\"stream_options\":{\"include_usage\":true}"
                                : ",\"stream\":false");
    if (!request.members.empty()) json_.append(",").append(request.members);
    json_.push_back('}');

    messages_.reserve(request.messages.size());
    for (const completion::ChatMessage& message : request.messages) {
        aim_chat_message view{};
        view.struct_size = sizeof view;
        view.role = static_cast<int32_t>(message.role);
        view.flags = (message.has_parts ? AIM_MESSAGE_HAS_PARTS : 0u) |
                     (message.has_tool_calls ? AIM_MESSAGE_HAS_TOOL_CALLS : 0u);
        view.text = Str(message.text);
        view.tool_call_id = Str(message.tool_call_id);
        messages_.push_back(view);
    }

    view_.struct_size = sizeof view_;
    view_.flags = (request.stream ? AIM_CHAT_STREAM : 0u) |
                  (request.has_tools ? AIM_CHAT_HAS_TOOLS : 0u) |
                  (request.has_parts ? AIM_CHAT_HAS_PARTS : 0u) |
                  (request.has_tool_turns ? AIM_CHAT_HAS_TOOL_TURNS : 0u) |
                  (request.has_json_schema ? AIM_CHAT_HAS_JSON_SCHEMA : 0u);
    view_.json = Str(json_);
    view_.model = Str(model);
    view_.endpoint = Str(endpoint);
    view_.max_tokens = request.max_tokens;
    view_.temperature = request.temperature;
    view_.top_p = request.top_p;
    view_.message_count = static_cast<uint32_t>(messages_.size());
    view_.message = &GetMessage;
    view_.impl = &messages_;
}

}  // namespace aim::plugin
