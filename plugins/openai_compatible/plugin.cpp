// Any server that speaks OpenAI's dialect: Ollama, vLLM, llama.cpp and their like. README.md has
// the quirks and their dates.
#include "aim/sdk/plugin.hpp"

#include <array>

#include "plugins/common/openai_chat.hpp"
#include "plugins/common/openai_embeddings.hpp"
#include "plugins/common/openai_models.hpp"

namespace aim::openai_compatible {
namespace {

constexpr std::array<openai::ErrorRule, 3> kErrors = {{
    {400, "enable-auto-tool-choice", sdk::ErrorKind::kUnsupported},  // vLLM started without it
    {0, "requires --jinja", sdk::ErrorKind::kUnsupported},           // llama.cpp started without it
    {400, "does not support", sdk::ErrorKind::kUnsupported},         // Ollama: tools, images
}};

constexpr openai::Dialect kDialect = {
    .authorization = "Bearer {OPENAI_COMPATIBLE_API_KEY}",
    .headers = {},
    .request = {.token_limit = openai::TokenLimitField::kMaxTokens,
                .developer_is_system = true,
                .no_platform_fields = true,
                .function_tools_only = true},
    .response = {.calls_end_with_stop = true},
    .errors = kErrors,
    .embeddings = {.dimensions = "dimensions", .token_ids = true},
};

// The key goes to this machine; elsewhere where SECRET_HOSTS or a row's own key allow it.
constexpr sdk::Descriptor kDescriptor = {
    .display_name = "OpenAI-compatible server",
    .vendor = "AI Manager",
    .default_endpoint = "http://127.0.0.1:11434/v1",
    .aliases = {"openai-compatible", "ollama", "vllm", "llama.cpp", "llamacpp", "lm studio",
                "lmstudio", "localai"},
    .settings = {sdk::Setting("OPENAI_COMPATIBLE_API_KEY",
                              "Key of the server; without one no authorization is sent.",
                              AIM_SETTING_SECRET)},
    .hosts = {"127.0.0.1", "localhost"},
    .capabilities = {"stream", "tools", "json_schema", "vision", "embeddings"},
    .row_settings_schema = openai::kRowSettingsSchema,
};

}  // namespace
}  // namespace aim::openai_compatible

AIM_PLUGIN(
    "openai_compatible", "1.0.0", aim::openai_compatible::kDescriptor,
    aim::sdk::Chat<aim::openai::OpenAiChatProvider<aim::openai_compatible::kDialect>>,
    aim::sdk::Models<aim::openai::OpenAiModelsProvider<aim::openai_compatible::kDialect>>,
    aim::sdk::Embeddings<aim::openai::OpenAiEmbeddingsProvider<aim::openai_compatible::kDialect>>);
