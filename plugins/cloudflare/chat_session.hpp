// One chat with Workers AI: one POST to the native or the OpenAI-compatible path, and a second,
// unstreamed one when a model answers a stream with nothing.
#pragma once

#include <memory>
#include <utility>

#include "aim/sdk/session.hpp"
#include "plugins/cloudflare/settings.hpp"

namespace aim::cloudflare {

inline constexpr std::string_view kAuthorization = "Bearer {CLOUDFLARE_API_TOKEN}";

class ChatProvider final : public sdk::ChatProvider {
  public:
    static std::unique_ptr<ChatProvider> Create(const sdk::Call& call, const sdk::Config& config);
    explicit ChatProvider(Settings settings) : settings_(std::move(settings)) {}

    std::unique_ptr<sdk::Session> Start(const sdk::Call& call, const sdk::ChatRequest& request,
                                        std::uint64_t seed) const override;

  private:
    Settings settings_;
};

}  // namespace aim::cloudflare
