// A provider as real as those of OpenAI's dialect. tools/scaling.sh copies the file and puts
// another number into each copy's id, which has the same length: so there are as many plugins as
// are wanted, each with an id of its own.
#include "aim/sdk/plugin.hpp"

#include "plugins/common/openai_chat.hpp"

namespace aim::scaling {
namespace {

constexpr openai::Dialect kDialect = {
    .authorization = "Bearer {SCALE_API_KEY}",
    .headers = {},
    .request = {},
    .response = {},
    .errors = {},
};

constexpr sdk::Descriptor kDescriptor = {
    .display_name = "Scale",
    .vendor = "AI Manager",
    .default_endpoint = "https://scale.example/v1",
    .settings = {sdk::Setting("SCALE_API_KEY", "Any word.",
                              AIM_SETTING_SECRET | AIM_SETTING_REQUIRED)},
    .hosts = {"scale.example"},
    .capabilities = {"stream", "tools"},
    .row_settings_schema = openai::kRowSettingsSchema,
};

}  // namespace
}  // namespace aim::scaling

AIM_PLUGIN("scale000", "1.0.0", aim::scaling::kDescriptor,
           aim::sdk::Chat<aim::openai::OpenAiChatProvider<aim::scaling::kDialect>>);
