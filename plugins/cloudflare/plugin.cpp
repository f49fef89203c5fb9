// Cloudflare Workers AI. README.md has the quirks and their dates.
#include "aim/sdk/plugin.hpp"

#include "plugins/cloudflare/chat_session.hpp"
#include "plugins/cloudflare/embeddings_session.hpp"
#include "plugins/cloudflare/models_session.hpp"
#include "plugins/cloudflare/settings.hpp"

namespace aim::cloudflare {
namespace {

constexpr sdk::Descriptor kDescriptor = {
    .display_name = "Cloudflare Workers AI",
    .vendor = "AI Manager",
    .default_endpoint = "https://api.cloudflare.com/client/v4",
    .aliases = {"Cloudflare Workers AI", "Workers AI", "cloudflare-ai"},
    .settings = {sdk::Setting("CLOUDFLARE_API_TOKEN", "API token that may run Workers AI.",
                              AIM_SETTING_SECRET | AIM_SETTING_REQUIRED),
                 sdk::Setting("CLOUDFLARE_ACCOUNT_ID", "Id of the account that the models run on.",
                              AIM_SETTING_REQUIRED)},
    .hosts = {"api.cloudflare.com", "gateway.ai.cloudflare.com"},
    .capabilities = {"stream", "tools", "json_schema", "vision", "embeddings"},
    .row_settings_schema = kSettingsSchema,
};

}  // namespace
}  // namespace aim::cloudflare

AIM_PLUGIN("cloudflare", "1.0.0", aim::cloudflare::kDescriptor,
           aim::sdk::Chat<aim::cloudflare::ChatProvider>,
           aim::sdk::Models<aim::cloudflare::ModelsProvider>,
           aim::sdk::Embeddings<aim::cloudflare::EmbeddingsProvider>);
