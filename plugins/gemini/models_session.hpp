// The models that a key may use: GET {endpoint}/models, page by page.
#pragma once

#include <memory>

#include "aim/sdk/session.hpp"

namespace aim::gemini {

class ModelsProvider final : public sdk::ModelsProvider {
  public:
    static std::unique_ptr<ModelsProvider> Create(const sdk::Call&, const sdk::Config&) {
        return std::make_unique<ModelsProvider>();
    }
    std::unique_ptr<sdk::Session> Start(const sdk::Call& call, std::string_view endpoint,
                                        std::uint64_t seed) const override;
};

}  // namespace aim::gemini
