// What the chats of one model row share.
#pragma once

#include <memory>
#include <utility>

#include "aim/sdk/session.hpp"
#include "plugins/replicate/settings.hpp"

namespace aim::replicate {

class ChatProvider final : public sdk::ChatProvider {
  public:
    static std::unique_ptr<ChatProvider> Create(const sdk::Call& call, const sdk::Config& config);
    explicit ChatProvider(Settings settings) : settings_(std::move(settings)) {}

    std::unique_ptr<sdk::Session> Start(const sdk::Call& call, const sdk::ChatRequest& request,
                                        std::uint64_t seed) const override;

  private:
    Settings settings_;
};

}  // namespace aim::replicate
