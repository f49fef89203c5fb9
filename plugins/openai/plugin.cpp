// OpenAI's own API. README.md has the quirks and their dates.
#include "aim/sdk/plugin.hpp"

#include <array>

#include "plugins/common/openai_chat.hpp"
#include "plugins/common/openai_embeddings.hpp"
#include "plugins/common/openai_models.hpp"

namespace aim::openai_platform {
namespace {

constexpr std::array<openai::HeaderTemplate, 2> kHeaders = {
    {{"openai-organization", "{OPENAI_ORGANIZATION}"}, {"openai-project", "{OPENAI_PROJECT}"}}};

// Unknown members are refused with a 400; what other providers add to an answer is one.
constexpr std::array<std::string_view, 8> kMessageMembers = {
    "role", "content", "name", "tool_calls", "tool_call_id", "function_call", "refusal", "audio"};

constexpr openai::Dialect kDialect = {
    .authorization = "Bearer {OPENAI_API_KEY}",
    .headers = kHeaders,
    .request = {.token_limit = openai::TokenLimitField::kMaxCompletionTokens,
                .earlier_reasoning = openai::EarlierReasoning::kLeftOut,
                .max_stops = 4,
                .message_only = kMessageMembers},
    .response = {},
    .errors = {},
    .embeddings = {.dimensions = "dimensions", .token_ids = true, .base64 = true},
};

constexpr sdk::Descriptor kDescriptor = {
    .display_name = "OpenAI",
    .vendor = "AI Manager",
    .default_endpoint = "https://api.openai.com/v1",
    .settings = {sdk::Setting("OPENAI_API_KEY", "Key of an OpenAI project; begins with sk-.",
                              AIM_SETTING_SECRET | AIM_SETTING_REQUIRED),
                 sdk::Setting("OPENAI_ORGANIZATION", "Organisation that pays; may be left out."),
                 sdk::Setting("OPENAI_PROJECT", "Project of the organisation; may be left out.")},
    .hosts = {"api.openai.com", ".api.openai.com"},
    .capabilities = {"stream", "tools", "json_schema", "vision", "embeddings"},
    .row_settings_schema = openai::kRowSettingsSchema,
};

}  // namespace
}  // namespace aim::openai_platform

AIM_PLUGIN(
    "openai", "1.0.0", aim::openai_platform::kDescriptor,
    aim::sdk::Chat<aim::openai::OpenAiChatProvider<aim::openai_platform::kDialect>>,
    aim::sdk::Models<aim::openai::OpenAiModelsProvider<aim::openai_platform::kDialect>>,
    aim::sdk::Embeddings<aim::openai::OpenAiEmbeddingsProvider<aim::openai_platform::kDialect>>);
