// Reads the canonical request (OpenAI's chat completion object) for providers with a dialect of
// their own: message parts, tool calls, and what such a provider cannot do. Views live as long as
// the document that the values belong to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aim/sdk/json.hpp"
#include "aim/sdk/session.hpp"

namespace aim::native {

// Why a request cannot be sent to this provider; nothing to say while `field` is empty.
struct Refusal {
    std::string field;
    std::string message;

    explicit operator bool() const { return !field.empty(); }
    // The first reason counts.
    void Set(std::string_view what, std::string_view why) {
        if (field.empty()) {
            field = what;
            message = why;
        }
    }
    sdk::Failure AsFailure() const {
        return {sdk::ErrorKind::kUnsupported, message, "unsupported", field};
    }
};

// Who speaks in a message. An unknown role is the user's.
enum class Speaker { kSystem, kUser, kAssistant, kTool };
Speaker SpeakerOf(sdk::JsonValue message);

enum class PartKind { kText, kImage, kAudio, kFile, kRefusal, kOther };

// One part of a message's content.
struct Part {
    PartKind kind = PartKind::kOther;
    std::string_view text;        // of kText and kRefusal
    std::string_view media_type;  // "image/png", with `data`
    std::string_view data;        // base64
    std::string_view url;         // of what lies elsewhere
    std::string_view name;        // of a file
    sdk::JsonValue value;         // the part as it came; not there for a plain string
};

// The parts of a message's content; a plain string is one part, null none. Empty texts are left
// out.
std::vector<Part> ReadParts(sdk::JsonValue content);

// All text of a content, joined by nothing.
std::string JoinedText(sdk::JsonValue content);

// "data:image/png;base64,iVBOR…" in its two pieces.
std::optional<std::pair<std::string_view, std::string_view>> ReadDataUri(std::string_view url);

struct ToolCall {
    std::string_view id;
    std::string_view name;
    std::string_view arguments;  // JSON text as the model wrote it; it may be none
    sdk::JsonValue value;
};

// The calls of an assistant message, the old `function_call` included.
std::vector<ToolCall> ReadToolCalls(sdk::JsonValue message);

// A tool call's arguments as one JSON object, also when the model wrote something else.
std::string ArgumentsObject(std::string_view arguments);

// `stop`, a string or an array of them.
std::vector<std::string_view> ReadStops(sdk::JsonValue request);

// The limit of the answer's tokens: `max_completion_tokens`, or its older name `max_tokens`.
sdk::JsonValue TokenLimit(sdk::JsonValue request);

// `reasoning_effort`, or `reasoning.effort`; empty when not given.
std::string_view ReasoningEffort(sdk::JsonValue request);

// What no provider of this kind can do: several choices where `choices_allowed` is false, answers
// that are not text, tools that are not functions, web search options.
void RefuseCommon(sdk::JsonValue request, bool choices_allowed, Refusal& refusal);

// A model's name for a URL's path: what is not allowed there becomes %XX. '/', '@' and ':' stay.
std::string PathEncoded(std::string_view name);

// A value for a URL's query.
std::string QueryEncoded(std::string_view value);

// Members of `object` that are whole numbers >= 0; -1 for everything else.
std::int64_t CountAt(sdk::JsonValue object, std::string_view name);

}  // namespace aim::native
