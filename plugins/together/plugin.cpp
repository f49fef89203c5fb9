// Together AI: OpenAI's dialect with fields of its own. README.md has the quirks and their dates.
#include "aim/sdk/plugin.hpp"

#include <array>

#include "plugins/common/openai_chat.hpp"
#include "plugins/common/openai_embeddings.hpp"
#include "plugins/common/openai_models.hpp"

namespace aim::together {
namespace {

constexpr std::array<std::string_view, 1> kIgnored = {"prompt"};  // an echo, mostly empty

constexpr openai::Dialect kDialect = {
    .authorization = "Bearer {TOGETHER_API_KEY}",
    .headers = {},
    .request = {.token_limit = openai::TokenLimitField::kMaxTokens,
                .earlier_reasoning = openai::EarlierReasoning::kLeftOut,
                .developer_is_system = true,
                .stop_as_array = true,
                .logprobs_as_number = true,
                .no_platform_fields = true,
                .function_tools_only = true},
    .response = {.ignored = kIgnored},
    .errors = {},
};

constexpr sdk::Descriptor kDescriptor = {
    .display_name = "Together AI",
    .vendor = "AI Manager",
    .default_endpoint = "https://api.together.ai/v1",
    .aliases = {"together.ai", "together ai", "together_ai", "togetherai"},
    .settings = {sdk::Setting("TOGETHER_API_KEY", "Key of a Together AI account.",
                              AIM_SETTING_SECRET | AIM_SETTING_REQUIRED)},
    .hosts = {"api.together.ai", "api.together.xyz"},
    .capabilities = {"stream", "tools", "json_schema", "vision", "embeddings"},
    .row_settings_schema = openai::kRowSettingsSchema,
};

}  // namespace
}  // namespace aim::together

AIM_PLUGIN("together", "1.0.0", aim::together::kDescriptor,
           aim::sdk::Chat<aim::openai::OpenAiChatProvider<aim::together::kDialect>>,
           aim::sdk::Models<aim::openai::OpenAiModelsProvider<aim::together::kDialect>>,
           aim::sdk::Embeddings<aim::openai::OpenAiEmbeddingsProvider<aim::together::kDialect>>);
