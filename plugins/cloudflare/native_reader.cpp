#include "plugins/cloudflare/native_reader.hpp"

#include "plugins/cloudflare/error_reader.hpp"
#include "plugins/common/canonical_chat.hpp"
#include "plugins/common/single_exchange.hpp"

namespace aim::cloudflare {
namespace {

using native::CountAt;
using sdk::FinishReason;
using sdk::JsonValue;
using sdk::Step;

bool IsNothing(JsonValue value) {
    return value.IsNull() || (value.IsString() && value.Text().empty()) ||
           ((value.IsObject() || value.IsArray()) && value.Empty());
}

}  // namespace

bool NativeReader::IsEmptyAnswer(std::string_view body) {
    sdk::JsonDocument document;
    if (!document.Parse(body) || HasError(document.Root())) {
        return false;
    }
    return document.Root().IsObject() && document.Root()["success"].IsTrue() &&
           IsNothing(document.Root()["result"]);
}

Step NativeReader::ReadWhole(const sdk::Call& call, std::string_view body) {
    if (!document_.Parse(body) || !document_.Root().IsObject()) {
        return native::FailProtocol(call, "the provider's answer is no readable JSON",
                                    "invalid_json");
    }
    const JsonValue root = document_.Root();
    if (HasError(root)) {
        return call.Fail(ReadErrorObject(root, call.NowUnixMs()).AsFailure());
    }
    const JsonValue result = root["result"].IsObject() ? root["result"] : root;
    if (result["choices"].IsArray()) {
        return openai_.ReadWhole(call, result.Raw());
    }
    if (result["output"].IsArray()) {
        return ReadResponses(call, result);
    }
    if (!result["response"] && !result["tool_calls"].IsArray()) {
        return native::FailProtocol(call, "the provider's answer has no result", "no_result");
    }
    ReadPiece(call.out, result);
    return Conclude(call);
}

Step NativeReader::ReadEvent(const sdk::Call& call, std::string_view name, std::string_view data) {
    if (data.substr(0, 6) == "[DONE]") {
        return is_openai_ ? openai_.ReadEvent(call, name, data) : Conclude(call);
    }
    if (data.find_first_not_of(" \r\n\t") == data.npos) {
        return Step::kContinue;
    }
    if (!document_.Parse(data)) {
        return native::FailProtocol(call, "an event of the stream is no readable JSON",
                                    "invalid_json");
    }
    const JsonValue root = document_.Root();
    if (HasError(root) || name == "error") {
        return call.Fail(ReadErrorObject(root, call.NowUnixMs()).AsFailure());
    }
    if (root["choices"].IsArray()) {
        is_openai_ = true;
        return openai_.ReadEvent(call, name, data);
    }
    if (root.IsObject() && !is_openai_) {
        ReadPiece(call.out, root);
    }
    return Step::kContinue;
}

Step NativeReader::ReadStreamEnd(const sdk::Call& call) {
    if (is_openai_) {
        return openai_.ReadEnd(call, sdk::Ending::kComplete);
    }
    return reason_.empty() ? native::FailUnfinished(call) : Conclude(call);
}

// `response` is a text, or, in JSON mode, the value itself; `p` is padding.
void NativeReader::ReadPiece(const sdk::Emitter& out, JsonValue piece) {
    any_ = true;
    out.Reasoning(0, piece["reasoning"].Text());
    const JsonValue response = piece["response"];
    if (response.IsString()) {
        out.Text(0, response.Text());
    } else if (!response.IsNull()) {
        out.Text(0, response.Raw());
    }
    for (const JsonValue item : piece["tool_calls"]) {
        tools_.Take(out, item);
    }
    if (!piece["finish_reason"].Text().empty()) {
        reason_ = piece["finish_reason"].Text();
    }
    ReadUsage(out, piece["usage"]);
}

void NativeReader::ReadUsage(const sdk::Emitter& out, JsonValue usage) {
    if (!usage.IsObject() || usage.Empty()) {
        return;
    }
    sdk::Usage counts;
    counts.prompt_tokens = CountAt(usage, "prompt_tokens");
    counts.completion_tokens = CountAt(usage, "completion_tokens");
    counts.total_tokens = CountAt(usage, "total_tokens");
    counts.cached_tokens = CountAt(usage["prompt_tokens_details"], "cached_tokens");
    counts.reasoning_tokens = CountAt(usage["completion_tokens_details"], "reasoning_tokens");
    counts.json = usage.Raw();
    completion_tokens_ = counts.completion_tokens;
    out.Usage(counts);
}

// OpenAI's Responses object, as gpt-oss models have it.
Step NativeReader::ReadResponses(const sdk::Call& call, JsonValue result) {
    std::uint32_t calls = 0;
    for (const JsonValue item : result["output"]) {
        const std::string_view type = item["type"].Text();
        if (type == "function_call" && !item["name"].Text().empty()) {
            const std::string_view arguments = item["arguments"].Text();
            call.out.ToolCall(0, calls++, item["call_id"].Text(), item["name"].Text(),
                              arguments.empty() ? "{}" : arguments);
            continue;
        }
        for (const JsonValue part : item["content"]) {
            if (type == "reasoning") {
                call.out.Reasoning(0, part["text"].Text());
            } else if (part["type"].Text() == "refusal") {
                call.out.Refusal(0, part["refusal"].Text());
            } else {
                call.out.Text(0, part["text"].Text());
            }
        }
    }
    const JsonValue usage = result["usage"];
    if (usage.IsObject()) {
        sdk::Usage counts;
        counts.prompt_tokens = CountAt(usage, "input_tokens");
        counts.completion_tokens = CountAt(usage, "output_tokens");
        counts.total_tokens = CountAt(usage, "total_tokens");
        counts.cached_tokens = CountAt(usage["input_tokens_details"], "cached_tokens");
        counts.reasoning_tokens = CountAt(usage["output_tokens_details"], "reasoning_tokens");
        counts.json = usage.Raw();
        call.out.Usage(counts);
    }
    const std::string_view status = result["status"].Text();
    const std::string_view why = result["incomplete_details"]["reason"].Text();
    if (status == "failed" || status == "cancelled") {
        return call.Fail({sdk::ErrorKind::kUpstreamFailure,
                          "the provider ended its answer with an error",
                          "failed",
                          {},
                          200});
    }
    if (status != "completed" && status != "incomplete") {
        return native::FailUnfinished(call);
    }
    call.out.Finish(0, status == "incomplete" && why == "content_filter"
                           ? FinishReason::kContentFilter
                       : status == "incomplete" ? FinishReason::kLength
                       : calls > 0              ? FinishReason::kToolCalls
                                                : FinishReason::kStop);
    return Step::kDone;
}

// Most models give no reason: an answer that reached its limit was cut by it.
Step NativeReader::Conclude(const sdk::Call& call) {
    if (!any_) {
        return native::FailUnfinished(call);
    }
    if (!tools_.Close(call.out)) {
        return native::FailProtocol(call, "the provider called a tool without a name",
                                    "invalid_tool_call");
    }
    FinishReason finish = tools_.Empty() ? FinishReason::kStop : FinishReason::kToolCalls;
    const bool at_limit = reason_.empty() && completion_tokens_ >= max_tokens_;
    if (reason_ == "length" || reason_ == "max_tokens" || at_limit) {
        finish = FinishReason::kLength;
    } else if (reason_ == "content_filter") {
        finish = FinishReason::kContentFilter;
    } else if (reason_ == "error") {
        return call.Fail({sdk::ErrorKind::kUpstreamFailure,
                          "the provider ended its answer with an error",
                          "error",
                          {},
                          200});
    }
    call.out.Finish(0, finish);
    return Step::kDone;
}

}  // namespace aim::cloudflare
