#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/plugin/provider_object.hpp"
#include "core/plugin/session_driver.hpp"
#include "core/plugin/sink_extension.hpp"

namespace aim::plugin {

// A model that a provider offers to a key; what it does not tell is absent or empty. Valid UTF-8.
struct OfferedModel {
    std::string id;
    std::string display_name;
    std::optional<std::int64_t> context_window;
    std::optional<std::int64_t> max_output_tokens;
    std::vector<std::string> capabilities;
    std::string input_price_per_million;  // decimal USD
    std::string output_price_per_million;
};

// The list of a provider's models (aim.models/1).
class ModelsSession final : public ProviderSession, private SinkExtension {
  public:
    struct Target : Bounds {
        std::shared_ptr<const ModelsProvider> provider;
        std::string_view endpoint;
    };

    // Everything outlives the session.
    ModelsSession(Target target, http::client::HttpClient& client, const Clock& clock,
                  std::uint64_t seed, Cancellation& cancellation);

    // All that came, after the last Next().
    std::vector<OfferedModel> TakeModels() { return std::move(models_); }

  private:
    int32_t CallBegin(const aim_call* call, std::uint64_t seed, void** session) override;
    std::optional<Error> WhatIsMissing() const override { return std::nullopt; }

    std::string_view id() const override { return AIM_MODELS_SINK_ID; }
    std::string_view OnModel(const aim_model_info& model) override;

    const Target target_;
    std::vector<OfferedModel> models_;
};

}  // namespace aim::plugin
