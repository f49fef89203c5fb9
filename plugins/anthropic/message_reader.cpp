#include "plugins/anthropic/message_reader.hpp"

#include <algorithm>
#include <optional>

#include "plugins/anthropic/error_rules.hpp"
#include "plugins/common/canonical_chat.hpp"
#include "plugins/common/json_writer.hpp"
#include "plugins/common/openai_error_reader.hpp"
#include "plugins/common/single_exchange.hpp"

namespace aim::anthropic {
namespace {

using native::CountAt;
using native::JsonWriter;
using sdk::FinishReason;
using sdk::JsonValue;
using sdk::Step;

FinishReason FinishOf(std::string_view stop_reason) {
    if (stop_reason == "max_tokens" || stop_reason == "model_context_window_exceeded") {
        return FinishReason::kLength;
    }
    if (stop_reason == "tool_use") {
        return FinishReason::kToolCalls;
    }
    if (stop_reason == "refusal") {
        return FinishReason::kContentFilter;
    }
    return FinishReason::kStop;  // end_turn, stop_sequence, pause_turn, and what comes later
}

}  // namespace

Step MessageReader::Fail(const sdk::Call& call, JsonValue root) const {
    const openai::UpstreamError error = openai::ReadErrorObject(root, kErrorRules);
    return call.Fail(error.AsFailure());
}

Step MessageReader::ReadWhole(const sdk::Call& call, std::string_view body) {
    if (!document_.Parse(body)) {
        return native::FailProtocol(call, "the provider's answer is no readable JSON",
                                    "invalid_json");
    }
    const JsonValue root = document_.Root();
    if (openai::HasError(root) || root["type"].Text() == "error") {
        return Fail(call, root);
    }
    if (!root["content"].IsArray()) {
        return native::FailProtocol(call, "the provider's answer has no content", "no_content");
    }
    std::int64_t index = 0;
    for (const JsonValue content : root["content"]) {
        StartBlock(call.out, index, content);
        if (Block* block = Find(index++)) {
            StopBlock(call.out, *block);
        }
    }
    ReadUsage(call.out, root["usage"]);
    stop_ = root.Raw();
    return Finish(call.out) ? Step::kDone : native::FailUnfinished(call);
}

Step MessageReader::ReadEvent(const sdk::Call& call, std::string_view name, std::string_view data) {
    if (name == "ping" || data.find_first_not_of(" \r\n\t") == data.npos) {
        return Step::kContinue;
    }
    if (!document_.Parse(data)) {
        return native::FailProtocol(call, "an event of the stream is no readable JSON",
                                    "invalid_json");
    }
    const JsonValue root = document_.Root();
    const std::string_view type = root["type"].Text().empty() ? name : root["type"].Text();
    if (type == "error" || openai::HasError(root)) {
        return Fail(call, root);
    }
    if (type == "message_start" && !started_) {  // some proxies repeat it
        StartMessage(call.out, root["message"]);
    } else if (type == "content_block_start") {
        StartBlock(call.out, root["index"].Integer().value_or(0), root["content_block"]);
    } else if (type == "content_block_delta") {
        if (Block* block = Find(root["index"].Integer().value_or(0))) {
            AddDelta(call.out, *block, root["delta"]);
        }
    } else if (type == "content_block_stop") {
        if (Block* block = Find(root["index"].Integer().value_or(0))) {
            StopBlock(call.out, *block);
        }
    } else if (type == "message_delta") {
        ReadUsage(call.out, root["usage"]);
        if (root["delta"]["stop_reason"].IsString()) {
            stop_ = root["delta"].Raw();
        }
    } else if (type == "message_stop") {
        return Finish(call.out) ? Step::kDone : native::FailUnfinished(call);
    }
    return Step::kContinue;  // pings and what nobody knows yet
}

MessageReader::Block* MessageReader::Find(std::int64_t index) {
    const auto found = std::find_if(open_.begin(), open_.end(),
                                    [&](const Block& block) { return block.index == index; });
    return found == open_.end() ? nullptr : &*found;
}

void MessageReader::StartMessage(const sdk::Emitter& out, JsonValue message) {
    started_ = true;
    ReadUsage(out, message["usage"]);
}

// Also a whole block of an unstreamed answer, which has its text at once.
void MessageReader::StartBlock(const sdk::Emitter& out, std::int64_t index, JsonValue content) {
    if (finished_ || !content.IsObject() || Find(index) != nullptr) {
        return;
    }
    Block block;
    block.index = index;
    block.type = content["type"].Text();
    if (block.type == "text") {
        out.Text(0, content["text"].Text());
        if (const JsonValue citations = content["citations"];
            citations.IsArray() && !citations.Empty()) {
            out.Extra(sdk::Scope::kMessage, 0, 0, "citations", citations.Raw());
        }
    } else if (block.type == "thinking") {
        block.thinking = content["thinking"].Text();
        block.signature = content["signature"].Text();
        out.Reasoning(0, block.thinking);
    } else if (block.type == "redacted_thinking") {
        block.redacted = content.Raw();
    } else if (block.type == "tool_use") {
        if (content["name"].Text().empty()) {
            return;
        }
        block.tool = tool_count_++;
        const JsonValue input = content["input"];
        block.input = input.IsObject() ? input.Raw() : std::string_view("{}");
        out.ToolCall(0, block.tool, content["id"].Text(), content["name"].Text(), {});
    }
    open_.push_back(std::move(block));
}

void MessageReader::AddDelta(const sdk::Emitter& out, Block& block, JsonValue delta) {
    const std::string_view type = delta["type"].Text();
    if (type == "text_delta") {
        out.Text(0, delta["text"].Text());
    } else if (type == "thinking_delta") {
        block.thinking += delta["thinking"].Text();
        out.Reasoning(0, delta["thinking"].Text());
    } else if (type == "signature_delta") {
        block.signature += delta["signature"].Text();
    } else if (type == "citations_delta") {
        const std::string citation = "[" + std::string(delta["citation"].Raw()) + "]";
        if (delta["citation"].IsObject()) {
            out.Extra(sdk::Scope::kMessage, 0, 0, "citations", citation);
        }
    } else if (type == "input_json_delta" && block.type == "tool_use") {
        const std::string_view piece = delta["partial_json"].Text();
        if (!piece.empty()) {
            block.has_arguments = true;
            out.ToolCall(0, block.tool, {}, {}, piece);
        }
    }
}

void MessageReader::StopBlock(const sdk::Emitter& out, Block& block) {
    // A call without arguments has no fragments, or one that is empty.
    if (block.type == "tool_use" && !block.has_arguments) {
        out.ToolCall(0, block.tool, {}, {}, block.input);
    }
    if (!block.redacted.empty() || !block.signature.empty()) {
        thinking_blocks_ += thinking_blocks_.empty() ? "" : ",";
    }
    if (!block.redacted.empty()) {
        thinking_blocks_ += block.redacted;
    } else if (!block.signature.empty()) {
        JsonWriter writer(thinking_blocks_);
        writer.BeginObject().Key("type").Text("thinking").Key("thinking").Text(block.thinking);
        writer.Key("signature").Text(block.signature).EndObject();
    }
    open_.erase(open_.begin() + (&block - open_.data()));
}

// The thinking blocks go out once and all together, so that whoever puts a stream together again
// by appending and whoever does by replacing both get them right.
bool MessageReader::Finish(const sdk::Emitter& out) {
    sdk::JsonDocument document;
    const JsonValue holder = document.Parse(stop_) ? document.Root() : JsonValue();
    const std::string_view reason = holder["stop_reason"].Text();
    if (reason.empty()) {
        return false;
    }
    if (!thinking_blocks_.empty()) {
        out.Extra(sdk::Scope::kMessage, 0, 0, "thinking_blocks", "[" + thinking_blocks_ + "]");
    }
    for (const std::string_view name : {"stop_sequence", "stop_details", "container"}) {
        if (const JsonValue value = holder[name]; value && !value.IsNull()) {
            out.Extra(sdk::Scope::kChoice, 0, 0, name, value.Raw());
        }
    }
    const bool ordinary = reason == "end_turn" || reason == "tool_use" || reason == "max_tokens" ||
                          reason == "stop_sequence";
    if (!ordinary) {
        out.Extra(sdk::Scope::kChoice, 0, 0, "native_finish_reason", holder["stop_reason"].Raw());
    }
    finished_ = true;
    out.Finish(0, FinishOf(reason));
    return true;
}

// Counts are cumulative, and a later event may leave out what an earlier one said.
void MessageReader::ReadUsage(const sdk::Emitter& out, JsonValue usage) {
    if (!usage.IsObject() || usage.Empty()) {
        return;
    }
    for (const JsonValue member : usage) {
        if (member.IsNull()) {
            continue;
        }
        const auto known = std::find_if(usage_.begin(), usage_.end(), [&](const auto& entry) {
            return entry.first == member.Key();
        });
        if (known == usage_.end()) {
            usage_.emplace_back(member.Key(), member.Raw());
        } else {
            known->second = member.Raw();
        }
    }
    std::string json;
    JsonWriter writer(json);
    writer.BeginObject();
    for (const auto& [name, value] : usage_) {
        writer.Key(name).Raw(value);
    }
    writer.EndObject();

    sdk::JsonDocument merged;
    if (!merged.Parse(json)) {
        return;
    }
    const JsonValue all = merged.Root();
    sdk::Usage counts;
    counts.cached_tokens = CountAt(all, "cache_read_input_tokens");
    counts.cache_write_tokens = CountAt(all, "cache_creation_input_tokens");
    counts.prompt_tokens = CountAt(all, "input_tokens");
    if (counts.prompt_tokens >= 0) {  // what was cached is counted apart
        counts.prompt_tokens += std::max<std::int64_t>(0, counts.cached_tokens) +
                                std::max<std::int64_t>(0, counts.cache_write_tokens);
    }
    counts.completion_tokens = CountAt(all, "output_tokens");
    counts.reasoning_tokens = CountAt(all["output_tokens_details"], "thinking_tokens");
    counts.json = json;
    out.Usage(counts);
}

}  // namespace aim::anthropic
