// Google Gemini in its native dialect. README.md has the quirks and their dates.
#include "aim/sdk/plugin.hpp"

#include "plugins/gemini/chat_session.hpp"
#include "plugins/gemini/embeddings_session.hpp"
#include "plugins/gemini/models_session.hpp"
#include "plugins/gemini/settings.hpp"

namespace aim::gemini {
namespace {

constexpr sdk::Descriptor kDescriptor = {
    .display_name = "Google Gemini",
    .vendor = "AI Manager",
    .default_endpoint = "https://generativelanguage.googleapis.com/v1beta",
    .aliases = {"Google Gemini", "Google"},
    .settings = {sdk::Setting("GOOGLE_AI_STUDIO_API_KEY",
                              "Key of Google AI Studio; begins with AIza.",
                              AIM_SETTING_SECRET | AIM_SETTING_REQUIRED)},
    .hosts = {"generativelanguage.googleapis.com"},
    .capabilities = {"stream", "tools", "json_schema", "vision", "embeddings"},
    .row_settings_schema = kSettingsSchema,
};

}  // namespace
}  // namespace aim::gemini

AIM_PLUGIN("gemini", "1.0.0", aim::gemini::kDescriptor, aim::sdk::Chat<aim::gemini::ChatProvider>,
           aim::sdk::Models<aim::gemini::ModelsProvider>,
           aim::sdk::Embeddings<aim::gemini::EmbeddingsProvider>);
