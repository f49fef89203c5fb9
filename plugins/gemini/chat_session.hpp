// One chat with Gemini: one POST, and a second one when the history came from another model and
// this one insists on signatures for its function calls.
#pragma once

#include <memory>

#include "aim/sdk/session.hpp"
#include "plugins/gemini/settings.hpp"

namespace aim::gemini {

class ChatProvider final : public sdk::ChatProvider {
  public:
    static std::unique_ptr<ChatProvider> Create(const sdk::Call& call, const sdk::Config& config);
    explicit ChatProvider(Settings settings) : settings_(std::move(settings)) {}

    std::unique_ptr<sdk::Session> Start(const sdk::Call& call, const sdk::ChatRequest& request,
                                        std::uint64_t seed) const override;

  private:
    Settings settings_;
};

}  // namespace aim::gemini
