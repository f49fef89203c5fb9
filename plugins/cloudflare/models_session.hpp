// The models of Workers AI: GET …/ai/models/search, page by page.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "aim/sdk/session.hpp"

namespace aim::cloudflare {

class ModelsProvider final : public sdk::ModelsProvider {
  public:
    static std::unique_ptr<ModelsProvider> Create(const sdk::Call& call, const sdk::Config& config);
    explicit ModelsProvider(std::string account) : account_(std::move(account)) {}

    std::unique_ptr<sdk::Session> Start(const sdk::Call& call, std::string_view endpoint,
                                        std::uint64_t seed) const override;

  private:
    std::string account_;
};

}  // namespace aim::cloudflare
