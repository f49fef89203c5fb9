#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aim::completion {

enum class Role : std::int32_t {
    kOther = 0,
    kSystem = 1,
    kDeveloper = 2,
    kUser = 3,
    kAssistant = 4,
    kTool = 5
};

// One message, as far as the gateway and simple plugins look into it; the rest is in
// ChatRequest::members.
struct ChatMessage {
    Role role = Role::kOther;
    bool has_parts = false;       // content has something else than text
    bool has_tool_calls = false;  // an assistant message that calls tools
    std::string text;             // the content, or its text parts joined
    std::string tool_call_id;
};

// What a caller asks for, whatever protocol it came in. Built by core/dialect; immutable
// afterwards, so every attempt reads the same.
struct ChatRequest {
    // The model by its row's name; empty = choose.
    std::string model;

    // The members of the OpenAI request object without its braces: all that a provider may see but
    // `model`, `stream` and `stream_options`, which each attempt sets for itself
    // ("\"messages\":[…],\"temperature\":0.7").
    std::string members;

    std::vector<ChatMessage> messages;
    bool stream = false;
    bool include_usage = false;  // stream_options.include_usage
    bool fallback = true;
    bool has_tools = false;
    bool has_parts = false;
    bool has_tool_turns = false;
    bool has_json_schema = false;
    std::int64_t max_tokens = -1;
    double temperature = std::numeric_limits<double>::quiet_NaN();
    double top_p = std::numeric_limits<double>::quiet_NaN();

    // For the history: who asked, and the last user message's text.
    std::string user_id;
    std::string username;
    std::optional<std::int64_t> user_telegram_id;
    std::string_view PromptText() const;
};

}  // namespace aim::completion
