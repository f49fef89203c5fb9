// Vectors of Workers AI: the model is run with texts, so many at a time.
#pragma once

#include <memory>
#include <utility>

#include "aim/sdk/session.hpp"
#include "plugins/cloudflare/settings.hpp"

namespace aim::cloudflare {

class EmbeddingsProvider final : public sdk::EmbeddingsProvider {
  public:
    static std::unique_ptr<EmbeddingsProvider> Create(const sdk::Call& call,
                                                      const sdk::Config& config);
    explicit EmbeddingsProvider(Settings settings) : settings_(std::move(settings)) {}

    std::unique_ptr<sdk::Session> Start(const sdk::Call& call,
                                        const sdk::EmbeddingsRequest& request,
                                        std::uint64_t seed) const override;

  private:
    Settings settings_;
};

}  // namespace aim::cloudflare
