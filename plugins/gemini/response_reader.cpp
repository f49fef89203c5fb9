#include "plugins/gemini/response_reader.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "plugins/common/canonical_chat.hpp"
#include "plugins/common/json_writer.hpp"
#include "plugins/common/openai_error_reader.hpp"
#include "plugins/common/redaction.hpp"
#include "plugins/common/single_exchange.hpp"
#include "plugins/gemini/error_reader.hpp"

namespace aim::gemini {
namespace {

using native::CountAt;
using native::JsonWriter;
using sdk::ErrorKind;
using sdk::FinishReason;
using sdk::JsonValue;
using sdk::Step;

constexpr std::uint32_t kMaxCandidates = 128;
constexpr std::size_t kMaxMessageBytes = 1000;

constexpr std::array<std::string_view, 9> kFiltered = {"SAFETY",
                                                       "RECITATION",
                                                       "BLOCKLIST",
                                                       "PROHIBITED_CONTENT",
                                                       "SPII",
                                                       "LANGUAGE",
                                                       "IMAGE_SAFETY",
                                                       "IMAGE_PROHIBITED_CONTENT",
                                                       "IMAGE_RECITATION"};

// The model's own failures: another try may do better.
constexpr std::array<std::string_view, 6> kBroken = {"MALFORMED_FUNCTION_CALL",
                                                     "UNEXPECTED_TOOL_CALL",
                                                     "TOO_MANY_TOOL_CALLS",
                                                     "NO_IMAGE",
                                                     "IMAGE_OTHER",
                                                     "OTHER"};

constexpr std::array<std::string_view, 6> kKnownInCandidate = {
    "content", "finishReason", "finishMessage", "index", "safetyRatings", "tokenCount"};

constexpr std::array<std::string_view, 6> kKnownInResponse = {
    "candidates", "usageMetadata", "promptFeedback", "createTime", "responseId", "sdkHttpResponse"};

template <std::size_t kSize>
bool Has(const std::array<std::string_view, kSize>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

std::string SignatureJson(std::string_view signature) {
    std::string json;
    JsonWriter writer(json);
    writer.BeginObject().Key("google").BeginObject();
    writer.Key("thought_signature").Text(signature).EndObject().EndObject();
    return json;
}

}  // namespace

ResponseReader::Candidate& ResponseReader::CandidateAt(std::uint32_t index) {
    for (Candidate& candidate : candidates_) {
        if (candidate.index == index) {
            return candidate;
        }
    }
    candidates_.push_back({index, 0, false, false});
    return candidates_.back();
}

Step ResponseReader::ReadWhole(const sdk::Call& call, std::string_view body) {
    if (!document_.Parse(body)) {
        return native::FailProtocol(call, "the provider's answer is no readable JSON",
                                    "invalid_json");
    }
    const JsonValue root = document_.Root();
    if (root.IsArray()) {
        for (const JsonValue item : root) {
            if (!ReadObject(call, item)) {
                return Step::kFailed;
            }
        }
        return Conclude(call);
    }
    return ReadObject(call, root) ? Conclude(call) : Step::kFailed;
}

Step ResponseReader::ReadEvent(const sdk::Call& call, std::string_view data) {
    if (data.find_first_not_of(" \r\n\t") == data.npos) {
        return Step::kContinue;
    }
    if (!document_.Parse(data)) {
        return native::FailProtocol(call, "an event of the stream is no readable JSON",
                                    "invalid_json");
    }
    return ReadObject(call, document_.Root()) ? Step::kContinue : Step::kFailed;
}

Step ResponseReader::Conclude(const sdk::Call& call) {
    const bool all = std::all_of(candidates_.begin(), candidates_.end(),
                                 [](const Candidate& candidate) { return candidate.finished; });
    if (candidates_.empty() || !all) {
        return native::FailUnfinished(call);
    }
    return Step::kDone;
}

bool ResponseReader::ReadObject(const sdk::Call& call, JsonValue root) {
    if (openai::HasError(root)) {
        call.Fail(ReadErrorObject(root, call.NowUnixMs()).AsFailure());
        return false;
    }
    if (!root.IsObject()) {
        native::FailProtocol(call, "the provider's answer is no JSON object", "invalid_answer");
        return false;
    }
    ReadUsage(call.out, root["usageMetadata"]);
    for (const JsonValue member : root) {
        PassOn(call.out, member);
    }
    for (const JsonValue item : root["candidates"]) {
        if (!ReadCandidate(call, item)) {
            return false;
        }
    }
    const JsonValue feedback = root["promptFeedback"];
    const std::string_view block = feedback["blockReason"].Text();
    if (!block.empty() && candidates_.empty()) {
        const std::string_view why = feedback["blockReasonMessage"].Text();
        const std::string message = openai::SafeText(
            why.empty() ? "the provider blocked the prompt" : why, kMaxMessageBytes);
        call.Fail({ErrorKind::kContentFiltered, message, block, "messages", 200});
        return false;
    }
    return true;
}

bool ResponseReader::ReadCandidate(const sdk::Call& call, JsonValue item) {
    const std::int64_t index = item["index"].Integer().value_or(0);
    if (index < 0 || index >= kMaxCandidates) {
        native::FailProtocol(call, "a candidate has an index out of range", "invalid_choice");
        return false;
    }
    Candidate& candidate = CandidateAt(static_cast<std::uint32_t>(index));
    if (candidate.finished) {
        return true;
    }
    ReadParts(call.out, candidate, item["content"]["parts"]);
    if (item.IsObject()) {
        for (const JsonValue member : item) {
            if (!Has(kKnownInCandidate, member.Key()) && !member.IsNull()) {
                call.out.Extra(sdk::Scope::kChoice, candidate.index, 0, member.Key(), member.Raw());
            }
        }
    }
    const std::string_view reason = item["finishReason"].Text();
    return reason.empty() || ReadFinish(call, candidate, reason, item["finishMessage"].Text());
}

void ResponseReader::ReadParts(const sdk::Emitter& out, Candidate& candidate, JsonValue parts) {
    std::string_view signature;
    std::string images;
    JsonWriter writer(images);
    for (const JsonValue part : parts) {
        if (!part.IsObject()) {
            continue;
        }
        if (part["functionCall"].IsObject()) {
            ReadCall(out, candidate, part);
            continue;
        }
        const std::string_view text = part["text"].Text();
        if (part["thought"].IsTrue()) {
            out.Reasoning(candidate.index, text);
        } else {
            out.Text(candidate.index, text);
        }
        candidate.has_content = candidate.has_content || !text.empty();
        if (const JsonValue image = part["inlineData"]; image.IsObject()) {
            candidate.has_content = true;
            if (images.empty()) {
                writer.BeginArray();
            }
            writer.BeginObject().Key("type").Text("image_url").Key("image_url").BeginObject();
            writer.Key("url").Text("data:" + std::string(image["mimeType"].Text()) + ";base64," +
                                   std::string(image["data"].Text()));
            writer.EndObject().EndObject();
        }
        if (!part["thoughtSignature"].Text().empty()) {
            signature = part["thoughtSignature"].Text();
        }
    }
    if (!images.empty()) {
        writer.EndArray();
        out.Extra(sdk::Scope::kMessage, candidate.index, 0, "images", images);
    }
    if (!signature.empty()) {
        out.Extra(sdk::Scope::kMessage, candidate.index, 0, "extra_content",
                  SignatureJson(signature));
    }
}

// A call comes whole; its id is often absent and then made by the host.
void ResponseReader::ReadCall(const sdk::Emitter& out, Candidate& candidate, JsonValue part) {
    const JsonValue function = part["functionCall"];
    if (function["name"].Text().empty()) {
        return;
    }
    const std::uint32_t index = candidate.tool_calls++;
    const JsonValue arguments = function["args"];
    candidate.has_content = true;
    out.ToolCall(candidate.index, index, function["id"].Text(), function["name"].Text(),
                 arguments.IsObject() ? arguments.Raw() : "{}");
    if (const std::string_view signature = part["thoughtSignature"].Text(); !signature.empty()) {
        out.Extra(sdk::Scope::kToolCall, candidate.index, index, "extra_content",
                  SignatureJson(signature));
    }
}

bool ResponseReader::ReadFinish(const sdk::Call& call, Candidate& candidate,
                                std::string_view reason, std::string_view message) {
    FinishReason finish = candidate.tool_calls > 0 ? FinishReason::kToolCalls : FinishReason::kStop;
    if (reason == "MAX_TOKENS") {
        finish = FinishReason::kLength;
    } else if (Has(kFiltered, reason)) {
        finish = FinishReason::kContentFilter;
    } else if (Has(kBroken, reason) && !candidate.has_content) {
        const std::string text = openai::SafeText(
            message.empty() ? "the provider ended its answer with an error" : message,
            kMaxMessageBytes);
        call.Fail({ErrorKind::kUpstreamFailure, text, reason, {}, 200});
        return false;
    }
    if (reason != "STOP" && reason != "MAX_TOKENS") {
        std::string native_reason;
        JsonWriter(native_reason).Text(reason);
        call.out.Extra(sdk::Scope::kChoice, candidate.index, 0, "native_finish_reason",
                       native_reason);
    }
    candidate.finished = true;
    call.out.Finish(candidate.index, finish);
    return true;
}

// Thoughts and tool prompts are counted apart there; in OpenAI's terms they are parts of completion
// and prompt. A count of zero is left out by the provider when the total says so.
void ResponseReader::ReadUsage(const sdk::Emitter& out, JsonValue usage) {
    if (!usage.IsObject() || usage.Raw() == last_usage_) {
        return;  // every frame repeats it
    }
    last_usage_ = usage.Raw();
    const std::int64_t candidates = CountAt(usage, "candidatesTokenCount");
    const std::int64_t thoughts = CountAt(usage, "thoughtsTokenCount");
    sdk::Usage counts;
    counts.prompt_tokens = CountAt(usage, "promptTokenCount");
    if (counts.prompt_tokens >= 0) {
        counts.prompt_tokens +=
            std::max<std::int64_t>(0, CountAt(usage, "toolUsePromptTokenCount"));
    }
    counts.total_tokens = CountAt(usage, "totalTokenCount");
    if (candidates >= 0) {
        counts.completion_tokens = candidates + std::max<std::int64_t>(0, thoughts);
    } else if (counts.total_tokens >= counts.prompt_tokens && counts.prompt_tokens >= 0) {
        counts.completion_tokens = counts.total_tokens - counts.prompt_tokens;
    } else {
        counts.completion_tokens = thoughts;
    }
    counts.cached_tokens = CountAt(usage, "cachedContentTokenCount");
    counts.reasoning_tokens = thoughts;
    counts.json = usage.Raw();
    out.Usage(counts);
}

void ResponseReader::PassOn(const sdk::Emitter& out, JsonValue member) {
    const std::string_view name = member.Key();
    if (member.IsNull() || Has(kKnownInResponse, name)) {
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

}  // namespace aim::gemini
