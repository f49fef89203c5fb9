// Mistral: a closed request schema. README.md has the quirks and their dates.
#include "aim/sdk/plugin.hpp"

#include <array>

#include "plugins/common/openai_chat.hpp"
#include "plugins/common/openai_embeddings.hpp"
#include "plugins/common/openai_models.hpp"

namespace aim::mistral {
namespace {

// Everything else is refused with a 422 (extra_forbidden).
constexpr std::array<std::string_view, 22> kFields = {"model",
                                                      "messages",
                                                      "temperature",
                                                      "top_p",
                                                      "max_tokens",
                                                      "stream",
                                                      "stop",
                                                      "random_seed",
                                                      "metadata",
                                                      "tools",
                                                      "tool_choice",
                                                      "presence_penalty",
                                                      "response_format",
                                                      "prediction",
                                                      "frequency_penalty",
                                                      "n",
                                                      "prompt_mode",
                                                      "guardrails",
                                                      "parallel_tool_calls",
                                                      "reasoning_effort",
                                                      "prompt_cache_key",
                                                      "safe_prompt"};

constexpr std::array<std::string_view, 5> kMessageMembers = {"role", "content", "tool_calls",
                                                             "tool_call_id", "prefix"};

constexpr std::array<openai::NameRule, 1> kNames = {{{"seed", "random_seed"}}};

// Reasoning is high or none there.
constexpr std::array<openai::ValueRule, 5> kValues = {{{"reasoning_effort", "minimal", "none"},
                                                       {"reasoning_effort", "low", "none"},
                                                       {"reasoning_effort", "medium", "high"},
                                                       {"reasoning_effort", "xhigh", "high"},
                                                       {"reasoning_effort", "max", "high"}}};

constexpr std::array<std::string_view, 1> kIgnored = {"p"};  // padding

constexpr std::array<openai::ErrorRule, 2> kErrors = {{
    {400, "invalid model", sdk::ErrorKind::kModelNotFound},
    {429, "service_tier_capacity", sdk::ErrorKind::kOverloaded},
}};

constexpr openai::Dialect kDialect = {
    .authorization = "Bearer {MISTRAL_API_KEY}",
    .headers = {},
    .request = {.token_limit = openai::TokenLimitField::kMaxTokens,
                .earlier_reasoning = openai::EarlierReasoning::kLeftOut,
                .developer_is_system = true,
                .no_nulls_in_messages = true,
                .no_empty_answers = true,
                .no_strict_tools = true,
                .nine_letter_call_ids = true,
                .max_temperature = 1.5,
                .function_tools_only = true,
                .only = kFields,
                .message_only = kMessageMembers,
                .names = kNames,
                .values = kValues},
    .response = {.ignored = kIgnored},
    .errors = kErrors,
    .embeddings = {.dimensions = "output_dimension", .known_fields_only = true},
};

constexpr sdk::Descriptor kDescriptor = {
    .display_name = "Mistral",
    .vendor = "AI Manager",
    .default_endpoint = "https://api.mistral.ai/v1",
    .aliases = {"mistral ai", "mistralai", "mistral.ai"},
    .settings = {sdk::Setting("MISTRAL_API_KEY", "Key of a Mistral workspace.",
                              AIM_SETTING_SECRET | AIM_SETTING_REQUIRED)},
    .hosts = {"api.mistral.ai", "codestral.mistral.ai"},
    .capabilities = {"stream", "tools", "json_schema", "vision", "embeddings"},
    .row_settings_schema = openai::kRowSettingsSchema,
};

}  // namespace
}  // namespace aim::mistral

AIM_PLUGIN("mistral", "1.0.0", aim::mistral::kDescriptor,
           aim::sdk::Chat<aim::openai::OpenAiChatProvider<aim::mistral::kDialect>>,
           aim::sdk::Models<aim::openai::OpenAiModelsProvider<aim::mistral::kDialect>>,
           aim::sdk::Embeddings<aim::openai::OpenAiEmbeddingsProvider<aim::mistral::kDialect>>);
