// Hugging Face's router to many inference providers. README.md has the quirks and their dates.
#include "aim/sdk/plugin.hpp"

#include <array>

#include "plugins/common/openai_chat.hpp"
#include "plugins/common/openai_models.hpp"

namespace aim::huggingface {
namespace {

constexpr std::array<openai::HeaderTemplate, 1> kHeaders = {
    {{"x-hf-bill-to", "{HUGGINGFACE_BILL_TO}"}}};

constexpr std::array<std::string_view, 3> kLeftOut = {"logit_bias", "parallel_tool_calls", "user"};

constexpr std::array<openai::ErrorRule, 1> kErrors = {
    {{400, "not supported by any provider", sdk::ErrorKind::kModelNotFound}}};

constexpr openai::Dialect kDialect = {
    .authorization = "Bearer {HUGGINGFACE_API_KEY}",
    .headers = kHeaders,
    .model_path_operation = "/v1/chat/completions",
    .request = {.token_limit = openai::TokenLimitField::kMaxTokens,
                .earlier_reasoning = openai::EarlierReasoning::kLeftOut,
                .developer_is_system = true,
                .no_platform_fields = true,
                .one_choice_only = true,
                .function_tools_only = true,
                .max_stops = 4,
                .left_out = kLeftOut},
    .response = {.calls_end_with_stop = true},
    .errors = kErrors,
};

constexpr sdk::Descriptor kDescriptor = {
    .display_name = "Hugging Face",
    .vendor = "AI Manager",
    .default_endpoint = "https://router.huggingface.co/v1",
    .aliases = {"hugging face", "hugging_face", "hf"},
    .settings = {sdk::Setting("HUGGINGFACE_API_KEY",
                              "Token with the inference-providers permission; begins with hf_.",
                              AIM_SETTING_SECRET | AIM_SETTING_REQUIRED),
                 sdk::Setting("HUGGINGFACE_BILL_TO", "Organisation that pays; may be left out.")},
    .hosts = {"router.huggingface.co", "api-inference.huggingface.co"},
    .capabilities = {"stream", "tools", "json_schema", "vision"},
    .row_settings_schema = openai::kRowSettingsSchema,
};

}  // namespace
}  // namespace aim::huggingface

AIM_PLUGIN("huggingface", "1.0.0", aim::huggingface::kDescriptor,
           aim::sdk::Chat<aim::openai::OpenAiChatProvider<aim::huggingface::kDialect>>,
           aim::sdk::Models<aim::openai::OpenAiModelsProvider<aim::huggingface::kDialect>>);
