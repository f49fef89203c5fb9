#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/completion/chat_delta.hpp"
#include "core/completion/finish_reason.hpp"
#include "core/completion/usage.hpp"

namespace aim::completion {

// A field that the gateway passes on without knowing it; `json` is its value as JSON text.
struct ExtraField {
    std::string name;
    std::string json;
};

struct ToolCall {
    std::string id;
    std::string name;
    std::string arguments;  // JSON text, as the model wrote it
    std::vector<ExtraField> extras;
};

struct Choice {
    std::string text;
    std::string reasoning;
    std::string refusal;
    std::vector<ToolCall> tool_calls;
    std::optional<FinishReason> finish;
    std::vector<ExtraField> choice_extras;
    std::vector<ExtraField> message_extras;
};

// A whole answer, or as much of one as came.
struct ChatResponse {
    std::vector<Choice> choices;
    Usage usage;
    std::vector<ExtraField> extras;

    // The first choice's text; empty when there is none.
    const std::string& text() const;
    bool finished() const;  // every choice has a finish reason, and there is one
};

}  // namespace aim::completion
