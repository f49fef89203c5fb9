#include "plugins/common/openai_response_reader.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace aim::openai {
namespace {

using sdk::ErrorKind;
using sdk::FinishReason;
using sdk::JsonValue;
using sdk::Step;

constexpr std::uint32_t kMaxChoices = 128;

enum class Outcome { kStop, kLength, kToolCalls, kContentFilter, kFailed, kOverloaded };

struct Reason {
    std::string_view name;  // lower case
    Outcome outcome;
};

constexpr std::array<Reason, 25> kReasons = {{
    {"stop", Outcome::kStop},
    {"eos", Outcome::kStop},
    {"eos_token", Outcome::kStop},
    {"end_turn", Outcome::kStop},
    {"stop_sequence", Outcome::kStop},
    {"length", Outcome::kLength},
    {"max_tokens", Outcome::kLength},
    {"model_length", Outcome::kLength},
    {"model_context_window_exceeded", Outcome::kLength},
    {"tool_calls", Outcome::kToolCalls},
    {"tool_use", Outcome::kToolCalls},
    {"function_call", Outcome::kToolCalls},
    {"content_filter", Outcome::kContentFilter},
    {"refusal", Outcome::kContentFilter},
    {"safety", Outcome::kContentFilter},
    {"recitation", Outcome::kContentFilter},
    {"blocklist", Outcome::kContentFilter},
    {"prohibited_content", Outcome::kContentFilter},
    {"spii", Outcome::kContentFilter},
    {"error", Outcome::kFailed},
    {"malformed_function_call", Outcome::kFailed},
    {"unexpected_tool_call", Outcome::kFailed},
    {"too_many_tool_calls", Outcome::kFailed},
    {"insufficient_system_resource", Outcome::kOverloaded},
    {"abort", Outcome::kFailed},
}};

Outcome OutcomeOf(std::string_view reason) {
    const auto found = std::find_if(kReasons.begin(), kReasons.end(), [&](const Reason& known) {
        return std::equal(known.name.begin(), known.name.end(), reason.begin(), reason.end(),
                          [](char a, char b) {
                              return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b + 32) : b);
                          });
    });
    return found == kReasons.end() ? Outcome::kStop : found->outcome;
}

std::int64_t Count(JsonValue value) {
    const std::optional<std::int64_t> number = value.Integer();
    return number && *number >= 0 ? *number : -1;
}

std::int64_t FirstCount(std::int64_t a, std::int64_t b) { return a >= 0 ? a : b; }

// The usage as it came, but for this number.
std::string WithCompletionTokens(JsonValue usage, std::int64_t tokens) {
    std::string json = "{";
    for (const JsonValue member : usage) {
        json += json.size() > 1 ? "," : "";
        if (member.Key() == "completion_tokens") {
            json += "\"completion_tokens\":" + std::to_string(tokens);
        } else {
            json += member.RawMember();
        }
    }
    return json + "}";
}

bool IsOneOf(std::string_view name, std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

OpenAiResponseReader::Choice& OpenAiResponseReader::ChoiceAt(std::uint32_t index) {
    for (Choice& choice : choices_) {
        if (choice.index == index) {
            return choice;
        }
    }
    return choices_.emplace_back(index);
}

Step OpenAiResponseReader::ReadWhole(const sdk::Call& call, std::string_view body) {
    if (!document_.Parse(body)) {
        return call.Fail({ErrorKind::kProtocolError,
                          "the provider's answer is no readable JSON",
                          "invalid_json",
                          {},
                          200});
    }
    const JsonValue root = document_.Root();
    if (!HasError(root) && !root["choices"].IsArray()) {
        return call.Fail({ErrorKind::kProtocolError,
                          "the provider's answer has no choices",
                          "no_choices",
                          {},
                          200});
    }
    if (!ReadObject(call, root)) {
        return Step::kFailed;
    }
    return Conclude(call);
}

Step OpenAiResponseReader::ReadEvent(const sdk::Call& call, std::string_view name,
                                     std::string_view data) {
    if (data.substr(0, 6) == "[DONE]") {
        return Conclude(call);
    }
    if (data.find_first_not_of(" \r\n\t") == data.npos || name == "ping") {
        return Step::kContinue;
    }
    if (!document_.Parse(data)) {
        if (name == "error") {
            const UpstreamError error = ReadErrorAnswer(0, data, {}, rules_, call.NowUnixMs());
            return call.Fail(error.AsFailure());
        }
        return call.Fail({ErrorKind::kProtocolError,
                          "an event of the stream is no readable JSON",
                          "invalid_json",
                          {},
                          200});
    }
    const JsonValue root = document_.Root();
    if (name == "error" && !HasError(root)) {
        const UpstreamError error = ReadErrorObject(root, rules_, call.NowUnixMs());
        return call.Fail(error.AsFailure());
    }
    return ReadObject(call, root) ? Step::kContinue : Step::kFailed;
}

Step OpenAiResponseReader::ReadEnd(const sdk::Call& call, sdk::Ending ending) {
    switch (ending) {
        case sdk::Ending::kComplete:
            return Conclude(call);
        case sdk::Ending::kTruncated:
            return call.Fail({ErrorKind::kUpstreamFailure,
                              "the provider's answer was cut short",
                              "truncated",
                              {}});
        case sdk::Ending::kNotConnected:
            return call.Fail(
                {ErrorKind::kUpstreamFailure, "the provider sent no answer", "no_answer", {}});
        case sdk::Ending::kTooLarge:
            return call.Fail(
                {ErrorKind::kProtocolError, "the provider's answer is too large", "too_large", {}});
        case sdk::Ending::kMalformed:
            break;
    }
    return call.Fail(
        {ErrorKind::kProtocolError, "the provider's answer is malformed", "malformed", {}});
}

bool OpenAiResponseReader::ReadObject(const sdk::Call& call, JsonValue root) {
    if (HasError(root)) {
        const UpstreamError error = ReadErrorObject(root, rules_, call.NowUnixMs());
        call.Fail(error.AsFailure());
        return false;
    }
    std::uint32_t position = 0;
    const JsonValue choices = root["choices"];
    if (choices.IsArray()) {
        for (const JsonValue item : choices) {
            if (!ReadChoice(call, item, position++)) {
                return false;
            }
        }
    }
    ReadUsage(call.out, root);
    if (root.IsObject()) {
        for (const JsonValue member : root) {
            PassOn(call.out, member);
        }
    }
    return true;
}

bool OpenAiResponseReader::ReadChoice(const sdk::Call& call, JsonValue item,
                                      std::uint32_t position) {
    if (!item.IsObject()) {
        return true;
    }
    const std::int64_t given = item["index"].Integer().value_or(position);
    if (given < 0 || given >= kMaxChoices) {
        call.Fail({ErrorKind::kProtocolError,
                   "a choice of the answer has an index out of range",
                   "invalid_choice",
                   {},
                   200});
        return false;
    }
    Choice& choice = ChoiceAt(static_cast<std::uint32_t>(given));
    if (choice.finished) {
        return true;  // some providers repeat the last chunk with the usage
    }
    if (HasError(item)) {
        call.Fail(ReadErrorObject(item, rules_, call.NowUnixMs()).AsFailure());
        return false;
    }
    const JsonValue delta = item["delta"];
    ReadMessage(call.out, choice, delta.IsObject() ? delta : item["message"]);
    for (const JsonValue member : item) {
        const bool known = IsOneOf(
            member.Key(), {"index", "delta", "message", "finish_reason", "text", "seed", "usage"});
        if (!known && !member.IsNull()) {
            call.out.Extra(sdk::Scope::kChoice, choice.index, 0, member.Key(), member.Raw());
        }
    }
    const JsonValue reason = item["finish_reason"];
    return !reason.IsString() || ReadFinish(call, choice, reason.Text());
}

void OpenAiResponseReader::ReadMessage(const sdk::Emitter& out, Choice& choice, JsonValue message) {
    if (!message.IsObject()) {
        return;
    }
    // Some providers send the same reasoning under both names.
    const JsonValue reasoning = message["reasoning"];
    const std::string_view thought =
        reasoning.Text().empty() ? message["reasoning_content"].Text() : reasoning.Text();
    out.Reasoning(choice.index, thought);
    for (const JsonValue member : message) {
        const std::string_view name = member.Key();
        if (member.IsNull() || IsOneOf(name, {"role", "token_id", "index", "reasoning_content"}) ||
            (name == "reasoning" && member.IsString())) {
            continue;
        }
        if (name == "content") {
            ReadContent(out, choice, member);
        } else if (name == "refusal") {
            out.Refusal(choice.index, member.Text());
        } else if (name == "tool_calls") {
            for (const JsonValue item : member) {
                choice.tools.Take(out, item);
            }
        } else {
            out.Extra(sdk::Scope::kMessage, choice.index, 0, name, member.Raw());
        }
    }
}

// A text, or parts: {"type":"text","text"} and {"type":"thinking","thinking":[{"text"}]}.
void OpenAiResponseReader::ReadContent(const sdk::Emitter& out, Choice& choice, JsonValue content) {
    if (content.IsString()) {
        out.Text(choice.index, content.Text());
        return;
    }
    if (!content.IsArray()) {
        return;
    }
    for (const JsonValue part : content) {
        if (part["type"].Text() == "thinking") {
            out.Reasoning(choice.index, part["thinking"].Text());
            for (const JsonValue piece : part["thinking"]) {
                out.Reasoning(choice.index, piece["text"].Text());
            }
        } else {
            out.Text(choice.index, part["text"].Text());
        }
    }
}

bool OpenAiResponseReader::ReadFinish(const sdk::Call& call, Choice& choice,
                                      std::string_view reason) {
    if (reason.empty()) {  // decided at the end: some streams carry it in every chunk
        choice.empty_reason_seen = true;
        return true;
    }
    switch (OutcomeOf(reason)) {
        case Outcome::kStop:
            return Finish(call, choice,
                          policy_.calls_end_with_stop && !choice.tools.Empty()
                              ? FinishReason::kToolCalls
                              : FinishReason::kStop);
        case Outcome::kLength:
            return Finish(call, choice, FinishReason::kLength);
        case Outcome::kToolCalls:
            return Finish(call, choice, FinishReason::kToolCalls);
        case Outcome::kContentFilter:
            return Finish(call, choice, FinishReason::kContentFilter);
        case Outcome::kOverloaded:
            call.Fail({ErrorKind::kOverloaded,
                       "the provider stopped for lack of resources",
                       reason,
                       {},
                       200});
            return false;
        case Outcome::kFailed:
            break;
    }
    call.Fail({ErrorKind::kUpstreamFailure,
               "the provider ended its answer with an error",
               reason,
               {},
               200});
    return false;
}

bool OpenAiResponseReader::Finish(const sdk::Call& call, Choice& choice, FinishReason reason) {
    // A cut answer may end inside a call; that it was cut is said by the reason.
    if (!choice.tools.Close(call.out) && reason == FinishReason::kToolCalls) {
        call.Fail({ErrorKind::kProtocolError,
                   "the provider called a tool without a name",
                   "invalid_tool_call",
                   {},
                   200});
        return false;
    }
    choice.finished = true;
    call.out.Finish(choice.index, reason);
    return true;
}

void OpenAiResponseReader::ReadUsage(const sdk::Emitter& out, JsonValue root) {
    JsonValue usage = root["usage"];
    if (!usage.IsObject()) {
        usage = root["x_groq"]["usage"];
    }
    if (!usage.IsObject()) {
        return;
    }
    const JsonValue prompt = usage["prompt_tokens_details"];
    const JsonValue completion = usage["completion_tokens_details"];
    sdk::Usage counts;
    counts.prompt_tokens = Count(usage["prompt_tokens"]);
    counts.completion_tokens = Count(usage["completion_tokens"]);
    counts.total_tokens = Count(usage["total_tokens"]);
    counts.cached_tokens = Count(prompt["cached_tokens"]);
    for (const std::string_view name :
         {"prompt_cache_hit_tokens", "num_cached_tokens", "cached_tokens"}) {
        counts.cached_tokens = FirstCount(counts.cached_tokens, Count(usage[name]));
    }
    counts.cache_write_tokens = Count(prompt["cache_write_tokens"]);
    counts.reasoning_tokens =
        FirstCount(Count(completion["reasoning_tokens"]), Count(usage["reasoning_tokens"]));
    std::string folded;
    // Some count reasoning beside the completion, of which it is a part to everybody else.
    if (counts.reasoning_tokens > 0 && counts.prompt_tokens >= 0 && counts.completion_tokens >= 0 &&
        counts.total_tokens ==
            counts.prompt_tokens + counts.completion_tokens + counts.reasoning_tokens) {
        counts.completion_tokens += counts.reasoning_tokens;
        folded = WithCompletionTokens(usage, counts.completion_tokens);
    }
    counts.json = folded.empty() ? usage.Raw() : std::string_view(folded);
    out.Usage(counts);
}

// A response-wide member comes with every chunk of a stream: passed on when it is new or has
// changed.
void OpenAiResponseReader::PassOn(const sdk::Emitter& out, JsonValue member) {
    const std::string_view name = member.Key();
    const bool ignored =
        std::find(policy_.ignored.begin(), policy_.ignored.end(), name) != policy_.ignored.end();
    // What was read as the usage goes to who asked for the usage.
    if (member.IsNull() || ignored || (name == "x_groq" && member["usage"].IsObject()) ||
        IsOneOf(name, {"id", "object", "created", "model", "choices", "usage", "obfuscation"})) {
        return;
    }
    for (auto& [known, value] : passed_on_) {
        if (known == name) {
            if (value != member.Raw()) {
                value = member.Raw();
                out.Extra(sdk::Scope::kResponse, 0, 0, name, member.Raw());
            }
            return;
        }
    }
    passed_on_.emplace_back(name, member.Raw());
    out.Extra(sdk::Scope::kResponse, 0, 0, name, member.Raw());
}

Step OpenAiResponseReader::Conclude(const sdk::Call& call) {
    for (Choice& choice : choices_) {
        if (choice.finished || !choice.empty_reason_seen) {
            continue;
        }
        const FinishReason reason =
            choice.tools.Empty() ? FinishReason::kStop : FinishReason::kToolCalls;
        if (!Finish(call, choice, reason)) {
            return Step::kFailed;
        }
    }
    const bool all = std::all_of(choices_.begin(), choices_.end(),
                                 [](const Choice& choice) { return choice.finished; });
    if (choices_.empty() || !all) {
        return call.Fail({ErrorKind::kUpstreamFailure,
                          "the provider's answer ended without a finish reason",
                          "truncated",
                          {},
                          200});
    }
    return Step::kDone;
}

}  // namespace aim::openai
