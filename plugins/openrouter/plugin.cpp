// OpenRouter, a router to many providers. README.md has the quirks and their dates.
#include "aim/sdk/plugin.hpp"

#include <array>

#include "plugins/common/openai_chat.hpp"
#include "plugins/common/openai_embeddings.hpp"
#include "plugins/common/openai_models.hpp"

namespace aim::openrouter {
namespace {

constexpr std::array<openai::HeaderTemplate, 2> kHeaders = {
    {{"http-referer", "{OPENROUTER_REFERER}"}, {"x-title", "{OPENROUTER_TITLE}"}}};

constexpr std::array<openai::ErrorRule, 13> kErrors = {{
    {429, "free-models-per-day", sdk::ErrorKind::kQuotaExhausted},
    // metadata.error_type, in words that mean something else elsewhere.
    {0, "authentication", sdk::ErrorKind::kUnauthenticated, true},
    {0, "not_found", sdk::ErrorKind::kModelNotFound, true},
    {0, "invalid_prompt", sdk::ErrorKind::kInvalidRequest, true},
    {0, "invalid_image", sdk::ErrorKind::kInvalidRequest, true},
    {0, "unprocessable", sdk::ErrorKind::kInvalidRequest, true},
    {0, "payload_too_large", sdk::ErrorKind::kContextTooLong, true},
    {0, "string_too_long", sdk::ErrorKind::kContextTooLong, true},
    {0, "refusal", sdk::ErrorKind::kContentFiltered, true},
    {0, "unsupported_image_format", sdk::ErrorKind::kUnsupported, true},
    {0, "server", sdk::ErrorKind::kUpstreamFailure, true},
    {0, "timeout", sdk::ErrorKind::kUpstreamTimeout, true},
    {404, "support tool use", sdk::ErrorKind::kUnsupported},
}};

constexpr openai::Dialect kDialect = {
    .authorization = "Bearer {OPENROUTER_API_KEY}",
    .headers = kHeaders,
    .request = {.earlier_reasoning = openai::EarlierReasoning::kReasoning,
                .developer_is_system = true,
                .function_tools_only = true},
    .response = {},
    .errors = kErrors,
    .embeddings = {.dimensions = "dimensions", .token_ids = true},
};

constexpr sdk::Descriptor kDescriptor = {
    .display_name = "OpenRouter",
    .vendor = "AI Manager",
    .default_endpoint = "https://openrouter.ai/api/v1",
    .aliases = {"openrouter.ai", "open router"},
    .settings = {sdk::Setting("OPENROUTER_API_KEY", "Key of an account; begins with sk-or-.",
                              AIM_SETTING_SECRET | AIM_SETTING_REQUIRED),
                 sdk::Setting("OPENROUTER_REFERER", "URL shown in its rankings; may be left out."),
                 sdk::Setting("OPENROUTER_TITLE", "Name shown there; may be left out.")},
    .hosts = {"openrouter.ai"},
    .capabilities = {"stream", "tools", "json_schema", "vision", "embeddings"},
    .row_settings_schema = openai::kRowSettingsSchema,
};

}  // namespace
}  // namespace aim::openrouter

AIM_PLUGIN("openrouter", "1.0.0", aim::openrouter::kDescriptor,
           aim::sdk::Chat<aim::openai::OpenAiChatProvider<aim::openrouter::kDialect>>,
           aim::sdk::Models<aim::openai::OpenAiModelsProvider<aim::openrouter::kDialect>>,
           aim::sdk::Embeddings<aim::openai::OpenAiEmbeddingsProvider<aim::openrouter::kDialect>>);
