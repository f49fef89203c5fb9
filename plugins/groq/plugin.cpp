// Groq: OpenAI's dialect with a few fields fewer. README.md has the quirks and their dates.
#include "aim/sdk/plugin.hpp"

#include <array>

#include "plugins/common/openai_chat.hpp"
#include "plugins/common/openai_embeddings.hpp"
#include "plugins/common/openai_models.hpp"

namespace aim::groq {
namespace {

// Refused by Groq with a 400 ("not yet supported by any model").
constexpr std::array<std::string_view, 5> kLeftOut = {"frequency_penalty", "logit_bias", "logprobs",
                                                      "presence_penalty", "top_logprobs"};

// OpenAI's service tiers in Groq's words.
constexpr std::array<openai::ValueRule, 4> kValues = {{{"service_tier", "default", "on_demand"},
                                                       {"service_tier", "priority", "performance"},
                                                       {"service_tier", "scale", ""},
                                                       {"service_tier", "fast", ""}}};

constexpr std::array<openai::ErrorRule, 2> kErrors = {{
    // The model wrote a tool call or a JSON object that Groq could not read: another model may.
    {400, "tool_use_failed", sdk::ErrorKind::kUpstreamFailure},
    {400, "json_validate_failed", sdk::ErrorKind::kUpstreamFailure},
}};

constexpr openai::Dialect kDialect = {
    .authorization = "Bearer {GROQ_API_KEY}",
    .headers = {},
    .request = {.token_limit = openai::TokenLimitField::kMaxCompletionTokens,
                .earlier_reasoning = openai::EarlierReasoning::kReasoning,
                .developer_is_system = true,
                .no_nulls_in_messages = true,
                .no_names_in_messages = true,
                .no_platform_fields = true,
                .one_choice_only = true,
                .function_tools_only = true,
                .max_stops = 4,
                .left_out = kLeftOut,
                .values = kValues},
    .response = {},
    .errors = kErrors,
};

constexpr sdk::Descriptor kDescriptor = {
    .display_name = "Groq",
    .vendor = "AI Manager",
    .default_endpoint = "https://api.groq.com/openai/v1",
    .settings = {sdk::Setting("GROQ_API_KEY", "Key of a Groq account; begins with gsk_.",
                              AIM_SETTING_SECRET | AIM_SETTING_REQUIRED)},
    .hosts = {"api.groq.com"},
    .capabilities = {"stream", "tools", "json_schema", "vision", "embeddings"},
    .row_settings_schema = openai::kRowSettingsSchema,
};

}  // namespace
}  // namespace aim::groq

AIM_PLUGIN("groq", "1.0.0", aim::groq::kDescriptor,
           aim::sdk::Chat<aim::openai::OpenAiChatProvider<aim::groq::kDialect>>,
           aim::sdk::Models<aim::openai::OpenAiModelsProvider<aim::groq::kDialect>>,
           aim::sdk::Embeddings<aim::openai::OpenAiEmbeddingsProvider<aim::groq::kDialect>>);
