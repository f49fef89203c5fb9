// DeepSeek: OpenAI's dialect with thinking. README.md has the quirks and their dates.
#include "aim/sdk/plugin.hpp"

#include <array>

#include "plugins/common/openai_chat.hpp"
#include "plugins/common/openai_models.hpp"

namespace aim::deepseek {
namespace {

constexpr std::array<std::string_view, 4> kLeftOut = {"logit_bias", "parallel_tool_calls", "seed",
                                                      "user"};

constexpr std::array<openai::ValueRule, 1> kValues = {{{"reasoning_effort", "minimal", "low"}}};

constexpr std::array<openai::ErrorRule, 1> kErrors = {
    {{400, "model not exist", sdk::ErrorKind::kModelNotFound}}};

constexpr openai::Dialect kDialect = {
    .authorization = "Bearer {DEEPSEEK_API_KEY}",
    .headers = {},
    .request = {.token_limit = openai::TokenLimitField::kMaxTokens,
                .earlier_reasoning = openai::EarlierReasoning::kReasoningContentAlways,
                .developer_is_system = true,
                .text_parts_as_string = true,
                .no_platform_fields = true,
                .one_choice_only = true,
                .no_json_schema = true,
                .function_tools_only = true,
                .max_stops = 16,
                .left_out = kLeftOut,
                .values = kValues},
    .response = {},
    .errors = kErrors,
};

constexpr sdk::Descriptor kDescriptor = {
    .display_name = "DeepSeek",
    .vendor = "AI Manager",
    .default_endpoint = "https://api.deepseek.com",
    .settings = {sdk::Setting("DEEPSEEK_API_KEY", "Key of a DeepSeek account; begins with sk-.",
                              AIM_SETTING_SECRET | AIM_SETTING_REQUIRED)},
    .hosts = {"api.deepseek.com"},
    .capabilities = {"stream", "tools", "vision"},
    .row_settings_schema = openai::kRowSettingsSchema,
};

}  // namespace
}  // namespace aim::deepseek

AIM_PLUGIN("deepseek", "1.0.0", aim::deepseek::kDescriptor,
           aim::sdk::Chat<aim::openai::OpenAiChatProvider<aim::deepseek::kDialect>>,
           aim::sdk::Models<aim::openai::OpenAiModelsProvider<aim::deepseek::kDialect>>);
