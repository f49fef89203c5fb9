// Cerebras: OpenAI's dialect, flat errors. README.md has the quirks and their dates.
#include "aim/sdk/plugin.hpp"

#include <array>

#include "plugins/common/openai_chat.hpp"
#include "plugins/common/openai_models.hpp"

namespace aim::cerebras {
namespace {

// In the SDK, but refused for some models.
constexpr std::array<std::string_view, 3> kLeftOut = {"frequency_penalty", "logit_bias",
                                                      "presence_penalty"};

constexpr std::array<openai::ValueRule, 2> kValues = {
    {{"service_tier", "scale", ""}, {"service_tier", "fast", ""}}};

constexpr openai::Dialect kDialect = {
    .authorization = "Bearer {CEREBRAS_API_KEY}",
    .headers = {},
    .request = {.token_limit = openai::TokenLimitField::kMaxCompletionTokens,
                .earlier_reasoning = openai::EarlierReasoning::kReasoning,
                .developer_is_system = true,
                .no_platform_fields = true,
                .max_temperature = 1.5,
                .function_tools_only = true,
                .images_as_data_only = true,
                .max_stops = 4,
                .left_out = kLeftOut,
                .values = kValues},
    .response = {},
    .errors = {},
};

constexpr sdk::Descriptor kDescriptor = {
    .display_name = "Cerebras",
    .vendor = "AI Manager",
    .default_endpoint = "https://api.cerebras.ai/v1",
    .settings = {sdk::Setting("CEREBRAS_API_KEY", "Key of a Cerebras account; begins with csk-.",
                              AIM_SETTING_SECRET | AIM_SETTING_REQUIRED)},
    .hosts = {"api.cerebras.ai"},
    .capabilities = {"stream", "tools", "json_schema", "vision"},
    .row_settings_schema = openai::kRowSettingsSchema,
};

}  // namespace
}  // namespace aim::cerebras

AIM_PLUGIN("cerebras", "1.0.0", aim::cerebras::kDescriptor,
           aim::sdk::Chat<aim::openai::OpenAiChatProvider<aim::cerebras::kDialect>>,
           aim::sdk::Models<aim::openai::OpenAiModelsProvider<aim::cerebras::kDialect>>);
