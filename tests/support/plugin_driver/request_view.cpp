#include "tests/support/plugin_driver/request_view.hpp"

#include <limits>
#include <stdexcept>
#include <utility>

#include "aim/sdk/json.hpp"
#include "aim/sdk/views.hpp"

namespace aim::plugin_driver {
namespace {

using sdk::JsonValue;

std::int32_t RoleOf(std::string_view role) {
    if (role == "system") return AIM_ROLE_SYSTEM;
    if (role == "developer") return AIM_ROLE_DEVELOPER;
    if (role == "user") return AIM_ROLE_USER;
    if (role == "assistant") return AIM_ROLE_ASSISTANT;
    if (role == "tool") return AIM_ROLE_TOOL;
    return AIM_ROLE_OTHER;
}

double NumberOr(JsonValue value, double otherwise) { return value.Number().value_or(otherwise); }

}  // namespace

RequestView::RequestView(std::string json, std::string endpoint)
    : json_(std::move(json)), endpoint_(std::move(endpoint)) {
    sdk::JsonDocument document;
    if (!document.Parse(json_) || !document.Root().IsObject()) {
        throw std::invalid_argument("the request is not a JSON object");
    }
    const JsonValue root = document.Root();
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    model_ = root["model"].Text();
    raw_.struct_size = sizeof(raw_);
    raw_.json = sdk::Str(json_);
    raw_.model = sdk::Str(model_);
    raw_.endpoint = sdk::Str(endpoint_);
    raw_.max_tokens =
        root["max_completion_tokens"].Integer().value_or(root["max_tokens"].Integer().value_or(-1));
    raw_.temperature = NumberOr(root["temperature"], kNone);
    raw_.top_p = NumberOr(root["top_p"], kNone);
    raw_.flags |= root["stream"].IsTrue() ? AIM_CHAT_STREAM : 0;
    raw_.flags |= root["tools"].IsArray() && !root["tools"].Empty() ? AIM_CHAT_HAS_TOOLS : 0;
    const bool schema = root["response_format"]["type"].Text() == "json_schema";
    raw_.flags |= schema ? AIM_CHAT_HAS_JSON_SCHEMA : 0;
    for (const JsonValue item : root["messages"]) {
        Message message;
        message.raw.struct_size = sizeof(message.raw);
        message.raw.role = RoleOf(item["role"].Text());
        message.tool_call_id = item["tool_call_id"].Text();
        if (item["content"].IsArray()) {
            for (const JsonValue part : item["content"]) {
                message.text += part["text"].Text();
                message.raw.flags |= part["type"].Text() == "text" ? 0 : AIM_MESSAGE_HAS_PARTS;
            }
        } else {
            message.text = item["content"].Text();
        }
        message.raw.flags |= item["tool_calls"].IsArray() ? AIM_MESSAGE_HAS_TOOL_CALLS : 0;
        const bool tool_turn = item["tool_calls"].IsArray() || message.raw.role == AIM_ROLE_TOOL;
        raw_.flags |= tool_turn ? AIM_CHAT_HAS_TOOL_TURNS : 0;
        raw_.flags |= (message.raw.flags & AIM_MESSAGE_HAS_PARTS) != 0 ? AIM_CHAT_HAS_PARTS : 0;
        messages_.push_back(std::move(message));
    }
    for (Message& message : messages_) {  // the strings have come to rest
        message.raw.text = sdk::Str(message.text);
        message.raw.tool_call_id = sdk::Str(message.tool_call_id);
    }
    raw_.message_count = static_cast<std::uint32_t>(messages_.size());
    raw_.impl = this;
    raw_.message = [](const aim_chat_request* request, std::uint32_t i) -> const aim_chat_message* {
        const auto& self = *static_cast<const RequestView*>(request->impl);
        return i < self.messages_.size() ? &self.messages_[i].raw : nullptr;
    };
}

EmbeddingsView::EmbeddingsView(std::string json, std::string endpoint)
    : json_(std::move(json)), endpoint_(std::move(endpoint)) {
    sdk::JsonDocument document;
    if (!document.Parse(json_) || !document.Root().IsObject()) {
        throw std::invalid_argument("the request is not a JSON object");
    }
    const JsonValue root = document.Root();
    const JsonValue input = root["input"];
    std::uint32_t items = 0;
    bool tokens = false;
    bool nested = false;
    for (const JsonValue item : input) {
        ++items;
        tokens = tokens || !item.IsString();
        nested = nested || item.IsArray();
        if (item.IsString()) {
            texts_.emplace_back(item.Text());
        }
    }
    if (input.IsString()) {
        texts_.emplace_back(input.Text());
    }
    model_ = root["model"].Text();
    raw_.struct_size = sizeof(raw_);
    raw_.flags = tokens ? AIM_EMBEDDINGS_HAS_TOKENS : 0;
    raw_.json = sdk::Str(json_);
    raw_.model = sdk::Str(model_);
    raw_.endpoint = sdk::Str(endpoint_);
    raw_.dimensions = root["dimensions"].Integer().value_or(-1);
    raw_.input_count = input.IsString() || (tokens && !nested) ? 1 : items;
    raw_.impl = this;
    raw_.input = [](const aim_embeddings_request* request, std::uint32_t i,
                    aim_str* text) -> std::int32_t {
        const auto& self = *static_cast<const EmbeddingsView*>(request->impl);
        if (i >= self.texts_.size()) {
            return AIM_FAILED;
        }
        *text = sdk::Str(self.texts_[i]);
        return AIM_OK;
    };
}

}  // namespace aim::plugin_driver
