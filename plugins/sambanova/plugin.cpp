// SambaNova Cloud: OpenAI's dialect, rich usage. README.md has the quirks and their dates.
#include "aim/sdk/plugin.hpp"

#include <array>

#include "plugins/common/openai_chat.hpp"
#include "plugins/common/openai_embeddings.hpp"
#include "plugins/common/openai_models.hpp"

namespace aim::sambanova {
namespace {

constexpr openai::Dialect kDialect = {
    .authorization = "Bearer {SAMBANOVA_API_KEY}",
    .headers = {},
    .request = {.token_limit = openai::TokenLimitField::kMaxTokens,
                .earlier_reasoning = openai::EarlierReasoning::kLeftOut,
                .developer_is_system = true,
                .no_platform_fields = true,
                .function_tools_only = true,
                .images_as_data_only = true},
    .response = {},
    .errors = {},
};

constexpr sdk::Descriptor kDescriptor = {
    .display_name = "SambaNova",
    .vendor = "AI Manager",
    .default_endpoint = "https://api.sambanova.ai/v1",
    .aliases = {"sambanova cloud"},
    .settings = {sdk::Setting("SAMBANOVA_API_KEY", "Key of a SambaNova Cloud account.",
                              AIM_SETTING_SECRET | AIM_SETTING_REQUIRED)},
    .hosts = {"api.sambanova.ai"},
    .capabilities = {"stream", "tools", "json_schema", "vision", "embeddings"},
    .row_settings_schema = openai::kRowSettingsSchema,
};

}  // namespace
}  // namespace aim::sambanova

AIM_PLUGIN("sambanova", "1.0.0", aim::sambanova::kDescriptor,
           aim::sdk::Chat<aim::openai::OpenAiChatProvider<aim::sambanova::kDialect>>,
           aim::sdk::Models<aim::openai::OpenAiModelsProvider<aim::sambanova::kDialect>>,
           aim::sdk::Embeddings<aim::openai::OpenAiEmbeddingsProvider<aim::sambanova::kDialect>>);
