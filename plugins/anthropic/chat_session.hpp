// One chat with Anthropic: one POST to {endpoint}/messages, one answer.
#pragma once

#include <memory>
#include <utility>

#include "aim/sdk/session.hpp"
#include "plugins/anthropic/settings.hpp"

namespace aim::anthropic {

inline constexpr std::string_view kVersion = "2023-06-01";

class ChatProvider final : public sdk::ChatProvider {
  public:
    static std::unique_ptr<ChatProvider> Create(const sdk::Call& call, const sdk::Config& config);
    explicit ChatProvider(Settings settings) : settings_(std::move(settings)) {}

    std::unique_ptr<sdk::Session> Start(const sdk::Call& call, const sdk::ChatRequest& request,
                                        std::uint64_t seed) const override;

  private:
    Settings settings_;
};

}  // namespace aim::anthropic
