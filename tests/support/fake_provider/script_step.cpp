#include "tests/support/fake_provider/script_step.hpp"

#include <functional>
#include <map>

#include <openssl/evp.h>

#include "tests/support/fake_provider/json_text.hpp"

namespace aim::testing {
namespace {

using rapidjson::Value;
using Setter = std::function<bool(const Value&, ScriptStep&)>;

Setter Flag(bool ScriptStep::*member, bool inverted = false) {
    return [=](const Value& value, ScriptStep& step) {
        if (!value.IsBool()) return false;
        step.*member = value.GetBool() != inverted;
        return true;
    };
}

Setter Count(std::size_t ScriptStep::*member) {
    return [=](const Value& value, ScriptStep& step) {
        if (!value.IsUint64()) return false;
        step.*member = value.GetUint64();
        return true;
    };
}

template <typename Number>
Setter OptionalCount(std::optional<Number> ScriptStep::*member) {
    return [=](const Value& value, ScriptStep& step) {
        if (!value.IsUint64()) return false;
        step.*member = static_cast<Number>(value.GetUint64());
        return true;
    };
}

Setter Tokens(std::int64_t ScriptStep::*member) {
    return [=](const Value& value, ScriptStep& step) {
        if (!value.IsInt64()) return false;
        step.*member = value.GetInt64();
        return true;
    };
}

Setter Delay(ScriptStep::Milliseconds ScriptStep::*member) {
    return [=](const Value& value, ScriptStep& step) {
        if (!value.IsUint()) return false;
        step.*member = ScriptStep::Milliseconds(value.GetUint());
        return true;
    };
}

Setter Text(std::string ScriptStep::*member) {
    return [=](const Value& value, ScriptStep& step) {
        if (!value.IsString()) return false;
        step.*member = TextOf(value);
        return true;
    };
}

Setter OptionalText(std::optional<std::string> ScriptStep::*member) {
    return [=](const Value& value, ScriptStep& step) {
        if (!value.IsString()) return false;
        step.*member = std::string(TextOf(value));
        return true;
    };
}

// Strings are taken as they are, everything else as its JSON text.
Setter TextOrJson(std::optional<std::string> ScriptStep::*member) {
    return [=](const Value& value, ScriptStep& step) {
        step.*member = value.IsString() ? std::string(TextOf(value)) : SerializeJson(value);
        return true;
    };
}

Setter Base64(std::optional<std::string> ScriptStep::*member) {
    return [=](const Value& value, ScriptStep& step) {
        if (!value.IsString() || value.GetStringLength() % 4 != 0) return false;
        const std::string_view encoded = TextOf(value);
        std::string bytes(encoded.size() / 4 * 3, '\0');
        const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                         reinterpret_cast<const unsigned char*>(encoded.data()),
                                         static_cast<int>(encoded.size()));
        if (size < 0) return false;
        std::size_t padding = 0;
        while (padding < 2 && padding < encoded.size() &&
               encoded[encoded.size() - 1 - padding] == '=')
            ++padding;
        bytes.resize(static_cast<std::size_t>(size) - padding);
        step.*member = std::move(bytes);
        return true;
    };
}

bool SetStatus(const Value& value, ScriptStep& step) {
    if (!value.IsInt() || value.GetInt() < 100 || value.GetInt() > 999) return false;
    step.status = value.GetInt();
    return true;
}

bool SetHeaders(const Value& value, ScriptStep& step) {
    if (!value.IsObject()) return false;
    for (const auto& member : value.GetObject()) {
        const std::string name(TextOf(member.name));
        if (member.value.IsNull()) {
            step.removed_headers.push_back(name);
        } else if (member.value.IsString()) {
            step.headers.emplace_back(name, TextOf(member.value));
        } else if (member.value.IsArray()) {
            for (const auto& item : member.value.GetArray()) {
                if (!item.IsString()) return false;
                step.headers.emplace_back(name, TextOf(item));
            }
        } else {
            return false;
        }
    }
    return true;
}

bool SetUsage(const Value& value, ScriptStep& step) {
    static const std::map<std::string, UsagePlacement, std::less<>> kPlacements = {
        {"last", UsagePlacement::kLast},
        {"extra", UsagePlacement::kExtra},
        {"none", UsagePlacement::kNone}};
    if (!value.IsString()) return false;
    const auto found = kPlacements.find(TextOf(value));
    if (found == kPlacements.end()) return false;
    step.usage = found->second;
    return true;
}

bool SetEnd(const Value& value, ScriptStep& step) {
    static const std::map<std::string, AnswerEnd, std::less<>> kEnds = {
        {"keep", AnswerEnd::kKeepOpen},
        {"close", AnswerEnd::kClose},
        {"reset", AnswerEnd::kReset},
        {"stall", AnswerEnd::kStall}};
    if (!value.IsString()) return false;
    const auto found = kEnds.find(TextOf(value));
    if (found == kEnds.end()) return false;
    step.end = found->second;
    return true;
}

bool SetFinishReason(const Value& value, ScriptStep& step) {
    if (value.IsNull()) {
        step.omit_finish_reason = true;
        return true;
    }
    if (!value.IsString()) return false;
    step.finish_reason = std::string(TextOf(value));
    return true;
}

// Both {"id","name","arguments"} and OpenAI's form with "function" are understood.
bool SetToolCalls(const Value& value, ScriptStep& step) {
    if (!value.IsArray()) return false;
    for (const auto& item : value.GetArray()) {
        if (!item.IsObject()) return false;
        const Value* function = &item;
        if (const auto nested = item.FindMember("function"); nested != item.MemberEnd()) {
            if (!nested->value.IsObject()) return false;
            function = &nested->value;
        }
        ScriptedToolCall call;
        call.id = "call_fake" + std::to_string(step.tool_calls.size() + 1);
        if (const auto id = item.FindMember("id"); id != item.MemberEnd() && id->value.IsString())
            call.id = TextOf(id->value);
        const auto name = function->FindMember("name");
        if (name == function->MemberEnd() || !name->value.IsString()) return false;
        call.name = TextOf(name->value);
        if (const auto arguments = function->FindMember("arguments");
            arguments != function->MemberEnd()) {
            call.arguments = arguments->value.IsString() ? std::string(TextOf(arguments->value))
                                                         : SerializeJson(arguments->value);
        }
        step.tool_calls.push_back(std::move(call));
    }
    return true;
}

const std::map<std::string, Setter, std::less<>>& Setters() {
    using S = ScriptStep;
    static const std::map<std::string, Setter, std::less<>> kSetters = {
        {"status", SetStatus},
        {"headers", SetHeaders},
        {"content_type", OptionalText(&S::content_type)},
        {"body", TextOrJson(&S::body)},
        {"raw", OptionalText(&S::raw)},
        {"raw_base64", Base64(&S::raw)},
        {"raw_response", OptionalText(&S::raw_response)},
        {"raw_response_base64", Base64(&S::raw_response)},
        {"delay_before_head_ms", Delay(&S::delay_before_head)},
        {"delay_before_first_byte_ms", Delay(&S::delay_before_first_byte)},
        {"chunk_delay_ms", Delay(&S::chunk_delay)},
        {"text", OptionalText(&S::text)},
        {"reasoning", OptionalText(&S::reasoning)},
        {"reasoning_field", Text(&S::reasoning_field)},
        {"tool_calls", SetToolCalls},
        {"tool_fragments", Count(&S::tool_fragments)},
        {"tool_without_index", Flag(&S::tool_index, true)},
        {"chunks", Count(&S::chunks)},
        {"huge_line_bytes", Count(&S::huge_line_bytes)},
        {"finish_reason", SetFinishReason},
        {"usage", SetUsage},
        {"prompt_tokens", OptionalCount(&S::prompt_tokens)},
        {"completion_tokens", OptionalCount(&S::completion_tokens)},
        {"cached_tokens", Tokens(&S::cached_tokens)},
        {"reasoning_tokens", Tokens(&S::reasoning_tokens)},
        {"crlf", Flag(&S::crlf)},
        {"lone_cr", Flag(&S::lone_cr)},
        {"no_space_after_data", Flag(&S::space_after_data, true)},
        {"comments", Flag(&S::comments)},
        {"no_done", Flag(&S::done_marker, true)},
        {"after_done", Text(&S::after_done)},
        {"error_in_stream", TextOrJson(&S::error_in_stream)},
        {"error_after_chunks", Count(&S::error_after_chunks)},
        {"cut_after_bytes", OptionalCount(&S::cut_after_bytes)},
        {"cut_after_chunks", OptionalCount(&S::cut_after_chunks)},
        {"stall_after_chunks", OptionalCount(&S::stall_after_chunks)},
        {"cut_before_head", Flag(&S::cut_before_head)},
        {"reset", Flag(&S::reset)},
        {"garbage", Flag(&S::garbage)},
        {"garbage_head", Flag(&S::garbage_head)},
        {"endless_comments", Flag(&S::endless_comments)},
        {"never_answer", Flag(&S::never_answer)},
        {"gzip", Flag(&S::gzip)},
        {"no_close_notify", Flag(&S::close_notify, true)},
        {"leading_blank_lines", Count(&S::leading_blank_lines)},
        {"content_length", OptionalCount(&S::content_length)},
        {"split", Count(&S::split)},
        {"split_delay_ms", Delay(&S::split_delay)},
        {"end", SetEnd},
    };
    return kSetters;
}

// What one answer may make this process allocate; a typing error in a script must not exhaust the
// machine.
constexpr std::size_t kMaxHugeLineBytes = std::size_t{256} << 20;
constexpr std::size_t kMaxChunks = 1'000'000;

bool ReadStep(const Value& value, ScriptStep* step, std::string* error) {
    if (!value.IsObject()) {
        *error = "a step is a JSON object";
        return false;
    }
    for (const auto& member : value.GetObject()) {
        const std::string_view name = TextOf(member.name);
        const auto setter = Setters().find(name);
        if (setter == Setters().end()) {
            *error = "unknown key in a step: " + std::string(name);
            return false;
        }
        if (!setter->second(member.value, *step)) {
            *error = "bad value of the step's key " + std::string(name);
            return false;
        }
    }
    if (step->huge_line_bytes > kMaxHugeLineBytes || step->chunks > kMaxChunks ||
        step->leading_blank_lines > kMaxChunks || step->tool_fragments > kMaxChunks) {
        *error = "a step asks for more than 256 MiB or a million pieces";
        return false;
    }
    return true;
}

}  // namespace

bool ParseScriptStep(std::string_view json, ScriptStep* step, std::string* error) {
    rapidjson::Document document;
    if (document.Parse<kJsonParseFlags>(json.data(), json.size()).HasParseError()) {
        *error = "a step is a JSON object";
        return false;
    }
    return ReadStep(document, step, error);
}

bool ParseScriptSteps(std::string_view json, std::vector<ScriptStep>* steps, std::string* error) {
    rapidjson::Document document;
    if (document.Parse<kJsonParseFlags>(json.data(), json.size()).HasParseError()) {
        *error = "steps are a JSON array of objects";
        return false;
    }
    if (!document.IsArray()) {
        steps->emplace_back();
        return ReadStep(document, &steps->back(), error);
    }
    for (const auto& item : document.GetArray()) {
        steps->emplace_back();
        if (!ReadStep(item, &steps->back(), error)) return false;
    }
    if (steps->empty()) *error = "a script has at least one step";
    return !steps->empty();
}

}  // namespace aim::testing
