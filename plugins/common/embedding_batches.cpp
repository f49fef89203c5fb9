#include "plugins/common/embedding_batches.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace aim::native {
namespace {

using sdk::JsonValue;
using sdk::Step;

constexpr std::size_t kBatch = 100;  // what Gemini and Workers AI take at once

}  // namespace

std::vector<std::string> TextInputs(const sdk::Call& call, const sdk::EmbeddingsRequest& request) {
    std::vector<std::string> texts;
    for (std::uint32_t i = 0; i < request.InputCount(); ++i) {
        const std::optional<std::string_view> text = request.Input(i);
        if (!text) {
            call.Fail({sdk::ErrorKind::kUnsupported, "this provider takes texts, no token ids",
                       "unsupported", "input"});
            return {};
        }
        texts.emplace_back(*text);
    }
    return texts;
}

EmbeddingBatches::EmbeddingBatches(std::vector<std::string> texts, std::int64_t dimensions)
    : SingleExchange(false),
      texts_(std::move(texts)),
      vectors_(static_cast<std::uint32_t>(texts_.size()), dimensions) {}

std::span<const std::string> EmbeddingBatches::Batch() const {
    return std::span(texts_).subspan(sent_, std::min(kBatch, texts_.size() - sent_));
}

Step EmbeddingBatches::ReadWhole(const sdk::Call& call, std::string_view body) {
    sdk::JsonDocument document;
    if (!document.Parse(body) || !document.Root().IsObject()) {
        return FailProtocol(call, "the provider's answer is no readable JSON", "invalid_json");
    }
    const JsonValue root = document.Root();
    const JsonValue list = List(root);
    if (!list.IsArray()) {
        return openai::HasError(root) || root["errors"]
                   ? call.Fail(ErrorObject(call, root).AsFailure())
                   : FailProtocol(call, "the provider's answer has no vectors", "no_vectors");
    }
    const std::size_t expected = Batch().size();
    std::size_t position = 0;
    for (const JsonValue item : list) {
        if (position >= expected) {
            return FailProtocol(call, "the provider sent more vectors than inputs", "too_many");
        }
        if (!vectors_.Take(call, sent_ + position++, VectorOf(item))) {
            return Step::kFailed;
        }
    }
    if (position < expected) {
        return FailProtocol(call, "the provider sent fewer vectors than inputs", "too_few");
    }
    sent_ += expected;
    if (const std::int64_t tokens = PromptTokens(root); tokens >= 0) {
        prompt_tokens_ = std::max<std::int64_t>(prompt_tokens_, 0) + tokens;
    }
    if (sent_ < texts_.size()) {
        return Step::kNextRequest;
    }
    if (prompt_tokens_ >= 0) {
        sdk::Usage usage;
        usage.prompt_tokens = usage.total_tokens = prompt_tokens_;
        call.out.Usage(usage);
    }
    return vectors_.Conclude(call);
}

Step EmbeddingBatches::ReadEvent(const sdk::Call& call, std::string_view, std::string_view) {
    return FailUnfinished(call);
}

Step EmbeddingBatches::ReadError(const sdk::Call& call, int status, std::string_view body,
                                 const openai::RateLimitHints& hints, bool) {
    return call.Fail(ErrorAnswer(call, status, body, hints).AsFailure());
}

}  // namespace aim::native
