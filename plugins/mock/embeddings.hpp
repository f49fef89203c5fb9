// The mock's vectors: unit vectors made of a text's words, so that equal texts have equal vectors
// and texts that share words are near each other, in every process and for ever.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "aim/sdk/session.hpp"
#include "plugins/mock/settings.hpp"

namespace aim::mock {

inline constexpr std::uint32_t kDefaultDimensions = 1536;

// Length 1, `dimensions` values. Words are split at white space; a text without words has a vector,
// too.
std::vector<float> MakeVector(std::string_view text, std::uint32_t dimensions);

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

}  // namespace aim::mock
