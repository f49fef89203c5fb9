#include "plugins/common/openai_message_writer.hpp"

#include <algorithm>
#include <cstdint>

namespace aim::openai {
namespace {

using sdk::JsonValue;

bool IsReasoning(std::string_view name) {
    return name == "reasoning" || name == "reasoning_content";
}

// An array of nothing but texts.
bool IsTextParts(JsonValue content) {
    if (!content.IsArray() || content.Empty()) {
        return false;
    }
    for (const JsonValue part : content) {
        if (!part["text"].IsString()) {
            return false;
        }
    }
    return true;
}

bool IsAnswer(JsonValue message) { return message["role"].Text() == "assistant"; }

bool IsEmptyAnswer(JsonValue message) {
    const JsonValue content = message["content"];
    const bool no_text = content.IsArray() ? content.Empty() : content.Text().empty();
    return IsAnswer(message) && no_text && message["tool_calls"].Empty();
}

// The reasoning of an answer under either name, as it stands; empty when there is none.
std::string_view RawReasoning(JsonValue message) {
    for (const std::string_view name : {"reasoning_content", "reasoning"}) {
        const JsonValue value = message[name];
        if (!value.Text().empty()) {
            return value.Raw();
        }
    }
    return {};
}

bool IsLetterOrDigit(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

}  // namespace

std::string NineLetterId(std::string_view id) {
    constexpr std::size_t kLength = 9;
    constexpr std::string_view kDigits =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    if (id.size() == kLength && std::all_of(id.begin(), id.end(), IsLetterOrDigit)) {
        return std::string(id);
    }
    std::uint64_t hash = 14695981039346656037ULL;  // FNV-1a
    for (const char c : id) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    }
    std::string made;
    for (std::size_t i = 0; i < kLength; ++i) {
        made.push_back(kDigits[hash % kDigits.size()]);
        hash /= kDigits.size();
    }
    return made;
}

bool MessageWriter::IsUnwanted(JsonValue member) const {
    const std::string_view name = member.Key();
    if (IsReasoning(name)) {  // written by itself
        return reasoning_ != EarlierReasoning::kAsGiven;
    }
    const auto only = policy_.message_only;
    const bool closed = !only.empty() && std::find(only.begin(), only.end(), name) == only.end();
    return closed || (policy_.no_nulls_in_messages && member.IsNull()) ||
           (policy_.no_names_in_messages && name == "name");
}

bool MessageWriter::MemberNeedsChange(JsonValue member) const {
    const std::string_view name = member.Key();
    return (policy_.developer_is_system && name == "role" && member.Text() == "developer") ||
           (policy_.text_parts_as_string && name == "content" && IsTextParts(member)) ||
           (policy_.nine_letter_call_ids && (name == "tool_calls" || name == "tool_call_id"));
}

bool MessageWriter::NeedsChange(JsonValue message) const {
    if (!message.IsObject()) {
        return false;
    }
    for (const JsonValue member : message) {
        if (IsUnwanted(member) || MemberNeedsChange(member)) {
            return true;
        }
    }
    return (policy_.no_empty_answers && IsEmptyAnswer(message)) ||
           (reasoning_ == EarlierReasoning::kReasoningContentAlways && IsAnswer(message));
}

void MessageWriter::Messages(ObjectWriter& object, JsonValue messages) {
    bool change = false;
    for (const JsonValue message : messages) {
        change = change || NeedsChange(message);
    }
    if (!change) {
        object.Member(messages.RawMember());
        return;
    }
    object.Named("messages").push_back('[');
    bool first = true;
    for (const JsonValue message : messages) {
        if (policy_.no_empty_answers && IsEmptyAnswer(message)) {
            continue;
        }
        if (!first) {
            out_.push_back(',');
        }
        first = false;
        if (NeedsChange(message)) {
            Message(message);
        } else {
            out_ += message.Raw();
        }
    }
    out_.push_back(']');
}

void MessageWriter::Message(JsonValue message) {
    ObjectWriter object(out_);
    for (const JsonValue member : message) {
        if (IsUnwanted(member)) {
            continue;
        }
        if (MemberNeedsChange(member)) {
            Member(object, member);
        } else {
            object.Member(member.RawMember());
        }
    }
    const std::string_view thought = RawReasoning(message);
    if (reasoning_ == EarlierReasoning::kReasoning && !thought.empty()) {
        object.Named("reasoning") += thought;
    } else if (reasoning_ == EarlierReasoning::kReasoningContentAlways && IsAnswer(message)) {
        object.Named("reasoning_content") += thought.empty() ? "\" \"" : thought;
    }
    object.Close();
}

void MessageWriter::Member(ObjectWriter& object, JsonValue member) {
    const std::string_view name = member.Key();
    object.Named(name);
    if (name == "role") {
        out_ += "\"system\"";
    } else if (name == "content") {
        std::string text;
        for (const JsonValue part : member) {
            text += text.empty() ? "" : "\n";
            text += part["text"].Text();
        }
        sdk::AppendJsonString(out_, text);
    } else if (name == "tool_call_id") {
        CallId(member.Text());
    } else {
        ToolCalls(member);
    }
}

void MessageWriter::ToolCalls(JsonValue calls) {
    out_.push_back('[');
    bool first = true;
    for (const JsonValue call : calls) {
        if (!first) {
            out_.push_back(',');
        }
        first = false;
        ObjectWriter object(out_);
        for (const JsonValue member : call) {
            if (member.Key() == "id") {
                object.Named("id");
                CallId(member.Text());
            } else {
                object.Member(member.RawMember());
            }
        }
        object.Close();
    }
    out_.push_back(']');
}

void MessageWriter::CallId(std::string_view id) { sdk::AppendJsonString(out_, NineLetterId(id)); }

}  // namespace aim::openai
