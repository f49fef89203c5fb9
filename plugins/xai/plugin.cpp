// xAI: OpenAI's dialect, flat errors. README.md has the quirks and their dates.
#include "aim/sdk/plugin.hpp"

#include <array>

#include "plugins/common/openai_chat.hpp"
#include "plugins/common/openai_models.hpp"

namespace aim::xai {
namespace {

constexpr std::array<std::string_view, 1> kLeftOut = {"logit_bias"};

constexpr std::array<openai::ErrorRule, 6> kErrors = {{
    {403, "any credits", sdk::ErrorKind::kQuotaExhausted},
    {0, "available credits", sdk::ErrorKind::kQuotaExhausted},
    {0, "spending limit", sdk::ErrorKind::kQuotaExhausted},
    {403, "usage guidelines", sdk::ErrorKind::kContentFiltered},
    {0, "at capacity", sdk::ErrorKind::kOverloaded},
    {0, "currently unavailable", sdk::ErrorKind::kOverloaded},
}};

constexpr openai::Dialect kDialect = {
    .authorization = "Bearer {XAI_API_KEY}",
    .headers = {},
    .request = {.token_limit = openai::TokenLimitField::kMaxTokens,
                .earlier_reasoning = openai::EarlierReasoning::kLeftOut,
                .developer_is_system = true,
                .no_names_in_messages = true,
                .no_strict_tools = true,
                .no_platform_fields = true,
                .function_tools_only = true,
                .left_out = kLeftOut},
    .response = {},
    .errors = kErrors,
};

constexpr sdk::Descriptor kDescriptor = {
    .display_name = "xAI",
    .vendor = "AI Manager",
    .default_endpoint = "https://api.x.ai/v1",
    .aliases = {"x.ai", "grok"},
    .settings = {sdk::Setting("XAI_API_KEY", "Key of an xAI team; begins with xai-.",
                              AIM_SETTING_SECRET | AIM_SETTING_REQUIRED)},
    .hosts = {"api.x.ai", ".api.x.ai"},
    .capabilities = {"stream", "tools", "json_schema", "vision"},
    .row_settings_schema = openai::kRowSettingsSchema,
};

}  // namespace
}  // namespace aim::xai

AIM_PLUGIN("xai", "1.0.0", aim::xai::kDescriptor,
           aim::sdk::Chat<aim::openai::OpenAiChatProvider<aim::xai::kDialect>>,
           aim::sdk::Models<aim::openai::OpenAiModelsProvider<aim::xai::kDialect>>);
