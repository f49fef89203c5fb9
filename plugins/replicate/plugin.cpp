// Replicate. README.md has the quirks and their dates.
#include "aim/sdk/plugin.hpp"

#include "plugins/replicate/chat_provider.hpp"
#include "plugins/replicate/models_session.hpp"
#include "plugins/replicate/settings.hpp"

namespace aim::replicate {
namespace {

constexpr sdk::Descriptor kDescriptor = {
    .display_name = "Replicate",
    .vendor = "AI Manager",
    .default_endpoint = "https://api.replicate.com/v1",
    .settings = {sdk::Setting("REPLICATE_API_TOKEN",
                              "Token of a Replicate account; begins with r8_.",
                              AIM_SETTING_SECRET | AIM_SETTING_REQUIRED)},
    .hosts = {"api.replicate.com", "stream.replicate.com"},
    .capabilities = {"stream", "vision"},
    .row_settings_schema = kSettingsSchema,
};

}  // namespace
}  // namespace aim::replicate

AIM_PLUGIN("replicate", "1.0.0", aim::replicate::kDescriptor,
           aim::sdk::Chat<aim::replicate::ChatProvider>,
           aim::sdk::Models<aim::replicate::ModelsProvider>);
