// Vectors of Gemini: batchEmbedContents, so many texts at a time.
#pragma once

#include <memory>

#include "aim/sdk/session.hpp"

namespace aim::gemini {

class EmbeddingsProvider final : public sdk::EmbeddingsProvider {
  public:
    static std::unique_ptr<EmbeddingsProvider> Create(const sdk::Call& call,
                                                      const sdk::Config& config);
    std::unique_ptr<sdk::Session> Start(const sdk::Call& call,
                                        const sdk::EmbeddingsRequest& request,
                                        std::uint64_t seed) const override;
};

}  // namespace aim::gemini
