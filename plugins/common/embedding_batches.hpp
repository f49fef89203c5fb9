// The session of aim.embeddings/1 for dialects of their own, which take texts only and so many at a
// time: one POST for each batch.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aim/sdk/json.hpp"
#include "aim/sdk/session.hpp"
#include "plugins/common/embedding_vectors.hpp"
#include "plugins/common/openai_error_reader.hpp"
#include "plugins/common/single_exchange.hpp"

namespace aim::native {

// The inputs as texts. Empty after call.Fail(): token ids are refused by name.
std::vector<std::string> TextInputs(const sdk::Call& call, const sdk::EmbeddingsRequest& request);

class EmbeddingBatches : public SingleExchange {
  public:
    // `texts` is not empty. `dimensions` is what the caller asked for, -1 = nothing.
    EmbeddingBatches(std::vector<std::string> texts, std::int64_t dimensions);

  protected:
    // URL, key and body for these texts.
    virtual void DescribeBatch(sdk::HttpRequest& request, std::span<const std::string> texts) = 0;
    // The array with an item for each text of the batch, and the vector in such an item.
    virtual sdk::JsonValue List(sdk::JsonValue root) const = 0;
    virtual sdk::JsonValue VectorOf(sdk::JsonValue item) const = 0;
    // -1 = the provider does not say.
    virtual std::int64_t PromptTokens(sdk::JsonValue root) const = 0;
    // What a 2xx without a list says, and what any other answer does.
    virtual openai::UpstreamError ErrorObject(const sdk::Call& call, sdk::JsonValue root) const = 0;
    virtual openai::UpstreamError ErrorAnswer(const sdk::Call& call, int status,
                                              std::string_view body,
                                              const openai::RateLimitHints& hints) const = 0;

  private:
    std::span<const std::string> Batch() const;
    void Describe(sdk::HttpRequest& request) final { DescribeBatch(request, Batch()); }
    sdk::Step ReadWhole(const sdk::Call& call, std::string_view body) final;
    sdk::Step ReadEvent(const sdk::Call& call, std::string_view, std::string_view) final;
    sdk::Step ReadStreamEnd(const sdk::Call& call) final { return FailUnfinished(call); }
    sdk::Step ReadError(const sdk::Call& call, int status, std::string_view body,
                        const openai::RateLimitHints& hints, bool complete) final;

    std::vector<std::string> texts_;
    std::size_t sent_ = 0;  // texts of the batches that are answered
    std::int64_t prompt_tokens_ = -1;
    EmbeddingVectors vectors_;
};

}  // namespace aim::native
