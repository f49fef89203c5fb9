// The embeddings of an OpenAI-compatible provider: POST {endpoint}/embeddings.
#pragma once

#include <memory>

#include "aim/sdk/session.hpp"
#include "plugins/common/openai_chat.hpp"

namespace aim::openai {

// Null after call.Fail(). Dialect and row must outlive the session.
std::unique_ptr<sdk::Session> StartEmbeddings(const sdk::Call& call,
                                              const sdk::EmbeddingsRequest& request,
                                              const Dialect& dialect, const RowSettings& row = {});

template <const Dialect& kDialect>
class OpenAiEmbeddingsProvider final : public sdk::EmbeddingsProvider {
  public:
    static std::unique_ptr<OpenAiEmbeddingsProvider> Create(const sdk::Call& call,
                                                            const sdk::Config& config) {
        auto provider = std::make_unique<OpenAiEmbeddingsProvider>();
        return TakeRowSettings(call, config, provider->row_) ? std::move(provider) : nullptr;
    }
    std::unique_ptr<sdk::Session> Start(const sdk::Call& call,
                                        const sdk::EmbeddingsRequest& request,
                                        std::uint64_t) const override {
        return StartEmbeddings(call, request, kDialect, row_);
    }

  private:
    RowSettings row_;
};

}  // namespace aim::openai
