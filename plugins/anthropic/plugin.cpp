// Anthropic's Messages API. README.md has the quirks and their dates.
#include "aim/sdk/plugin.hpp"

#include "plugins/anthropic/chat_session.hpp"
#include "plugins/anthropic/models_session.hpp"
#include "plugins/anthropic/settings.hpp"

namespace aim::anthropic {
namespace {

constexpr sdk::Descriptor kDescriptor = {
    .display_name = "Anthropic",
    .vendor = "AI Manager",
    .default_endpoint = "https://api.anthropic.com/v1",
    .aliases = {"Claude"},
    .settings = {sdk::Setting("ANTHROPIC_API_KEY",
                              "Key of an Anthropic account; begins with sk-ant-.",
                              AIM_SETTING_SECRET | AIM_SETTING_REQUIRED)},
    .hosts = {"api.anthropic.com"},
    .capabilities = {"stream", "tools", "json_schema", "vision"},
    .row_settings_schema = kSettingsSchema,
};

}  // namespace
}  // namespace aim::anthropic

AIM_PLUGIN("anthropic", "1.0.0", aim::anthropic::kDescriptor,
           aim::sdk::Chat<aim::anthropic::ChatProvider>,
           aim::sdk::Models<aim::anthropic::ModelsProvider>);
