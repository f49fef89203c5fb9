#include <algorithm>
#include <array>
#include <cmath>

#include "core/dialect/field_reader.hpp"
#include "core/dialect/native_prompt.hpp"
#include "core/dialect/openai_chat.hpp"
#include "core/json/json.hpp"

namespace aim::dialect {
namespace {

using completion::ChatMessage;
using completion::ChatRequest;
using completion::Role;

// Members that each attempt sets for itself, and the gateway's own.
constexpr std::array<std::string_view, 6> kOwnMembers = {"model",    "stream",  "stream_options",
                                                         "fallback", "user_id", "username"};

Role ParseRole(std::string_view name) {
    if (name == "system") return Role::kSystem;
    if (name == "developer") return Role::kDeveloper;
    if (name == "user") return Role::kUser;
    if (name == "assistant") return Role::kAssistant;
    if (name == "tool" || name == "function") return Role::kTool;
    return Role::kOther;
}

std::string At(std::size_t i, std::string_view member) {
    return "messages[" + std::to_string(i) + "]." + std::string(member);
}

std::optional<Error> ReadContent(json::Value content, std::size_t i, ChatMessage& message) {
    if (!content.exists() || content.IsNull()) return std::nullopt;
    if (const auto text = content.AsString()) {
        message.text = *text;
        return std::nullopt;
    }
    if (!content.IsArray()) {
        return FailField(At(i, "content"),
                         "The content of a message must be a string or an array of parts.")
            .value();
    }
    for (const auto& [key, part] : content) {
        const std::string_view type = part.Get("type").StringOr("");
        if (type.empty()) {
            return FailField(At(i, "content"),
                             "Every part of a content array must be an object with a 'type'.")
                .value();
        }
        if (type == "text") {
            message.text.append(part.Get("text").StringOr(""));
        } else {
            message.has_parts = true;
        }
    }
    return std::nullopt;
}

std::optional<Error> ReadMessages(json::Value messages, ChatRequest& request) {
    if (!messages.exists())
        return FailField("messages", "The field 'messages' is required.").value();
    if (!messages.IsArray() || messages.size() == 0) {
        return FailField("messages", "The field 'messages' must be a non-empty array.").value();
    }
    request.messages.reserve(messages.size());
    std::size_t i = 0;
    for (const auto& [key, value] : messages) {
        const auto role = value.Get("role").AsString();
        if (!role)
            return FailField(At(i, "role"), "Every message must be an object with a 'role'.")
                .value();
        ChatMessage message;
        message.role = ParseRole(*role);
        if (message.role == Role::kOther) {
            return FailField(At(i, "role"),
                             "The role '" + std::string(role->substr(0, 64)) + "' is not known.")
                .value();
        }
        if (auto error = ReadContent(value.Get("content"), i, message)) return error;
        message.has_tool_calls = value.Get("tool_calls").size() > 0;
        message.tool_call_id = value.Get("tool_call_id").StringOr("");
        request.has_parts |= message.has_parts;
        request.has_tool_turns |= message.has_tool_calls || message.role == Role::kTool;
        request.messages.push_back(std::move(message));
        ++i;
    }
    return std::nullopt;
}

}  // namespace

Result<ChatRequest> ReadChatCompletion(std::string_view body) {
    auto document = json::Parse(body);
    if (!document) return Unexpected(std::move(document.error()));
    const json::Value root = document->root();
    if (!root.IsObject()) return FailField("", "The body must be a JSON object.");

    ChatRequest request;
    FieldReader fields(root);
    request.model = fields.Text("model").value_or("");
    request.stream = fields.Bool("stream").value_or(false);
    request.fallback = fields.Bool("fallback").value_or(true);
    request.username = fields.Text("username").value_or("");
    const auto user_id = fields.Text("user_id");
    const auto user = fields.Text("user");
    request.user_id = user_id ? *user_id : user.value_or("");
    const auto max_tokens = fields.Integer("max_tokens", 1, 10'000'000);
    const auto max_completion_tokens = fields.Integer("max_completion_tokens", 1, 10'000'000);
    request.max_tokens = max_completion_tokens.value_or(max_tokens.value_or(-1));
    request.temperature = fields.Number("temperature", 0, 2).value_or(std::nan(""));
    request.top_p = fields.Number("top_p", 0, 1).value_or(std::nan(""));
    fields.Integer("n", 1, 128);
    if (fields.error()) return Unexpected(*fields.error());
    if (auto error = ReadMessages(root.Get("messages"), request))
        return Unexpected(std::move(*error));
    for (const char* name : {"tools", "stream_options", "response_format"}) {
        const json::Value value = root.Get(name);
        const bool array = std::string_view(name) == "tools";
        if (value.exists() && !value.IsNull() && (array ? !value.IsArray() : !value.IsObject())) {
            return FailField(name, std::string("The field '") + name + "' must be an " +
                                       (array ? "array." : "object."));
        }
    }
    if (request.model == "auto") request.model.clear();
    request.user_telegram_id = TelegramId(request.user_id);
    request.has_tools = root.Get("tools").size() > 0;
    request.has_json_schema = root.Get("response_format").Get("type").StringOr("") == "json_schema";
    request.include_usage =
        request.stream && root.Get("stream_options").Get("include_usage").BoolOr(false);

    const auto& members = document->members();
    request.members.reserve(body.size());
    for (const json::Member& member : members) {
        const bool own = std::any_of(kOwnMembers.begin(), kOwnMembers.end(),
                                     [&](std::string_view name) { return member.KeyIs(name); });
        if (own) continue;
        if (!request.members.empty()) request.members.push_back(',');
        request.members.append(body.substr(member.begin, member.end - member.begin));
    }
    return request;
}

}  // namespace aim::dialect
