#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/integration/gateway/gateway_test_base.hpp"

namespace aim::gateway {

// A provider as its row and its requests look.
struct Provider {
    const char* plugin;
    const char* column;                    // of the row: an alias where there is one
    const char* path;                      // of the fake provider
    const char* variable;                  // of its key; empty: none is needed
    const char* header = "authorization";  // that carries the key
    const char* prefix = "Bearer ";        // before the key
    bool tools = true;
};

inline void PrintTo(const Provider& provider, std::ostream* out) { *out << provider.plugin; }

// Who speaks OpenAI's dialect.
inline constexpr std::array<Provider, 11> kFamily = {{
    {"groq", "Groq", "/openai/v1", "GROQ_API_KEY"},
    {"openai", "OpenAI", "/as/openai/v1", "OPENAI_API_KEY"},
    {"cerebras", "Cerebras", "/as/cerebras/v1", "CEREBRAS_API_KEY"},
    {"sambanova", "SambaNova", "/as/sambanova/v1", "SAMBANOVA_API_KEY"},
    {"huggingface", "HuggingFace", "/as/huggingface/v1", "HUGGINGFACE_API_KEY"},
    {"deepseek", "DeepSeek", "/as/deepseek/v1", "DEEPSEEK_API_KEY"},
    {"together", "Together.ai", "/as/together/v1/chat/completions", "TOGETHER_API_KEY"},
    {"openrouter", "OpenRouter", "/as/openrouter/v1", "OPENROUTER_API_KEY"},
    {"mistral", "Mistral", "/as/mistral/v1", "MISTRAL_API_KEY"},
    {"xai", "xAI", "/as/xai/v1", "XAI_API_KEY"},
    {"openai_compatible", "Ollama", "/as/openai_compatible/v1", ""},
}};

// Who speaks a dialect of its own.
inline constexpr std::array<Provider, 4> kNatives = {{
    {"gemini", "Google Gemini", "/as/gemini/v1beta", "GOOGLE_AI_STUDIO_API_KEY", "x-goog-api-key",
     ""},
    {"anthropic", "Anthropic", "/as/anthropic/v1", "ANTHROPIC_API_KEY", "x-api-key", ""},
    {"cloudflare", "Cloudflare", "/as/cloudflare/client/v4", "CLOUDFLARE_API_TOKEN"},
    {"replicate", "Replicate", "/as/replicate/v1", "REPLICATE_API_TOKEN", "authorization",
     "Bearer ", false},
}};

std::vector<Provider> AllProviders();
// Its key. It may be seen by this provider and by nobody else.
std::string CanaryOf(const Provider& provider);
// What its header says; empty when it needs no key.
std::string AuthorizationOf(const Provider& provider);

struct Reply {
    int status = 0;
    std::string text;
    std::string body;
    std::string finish;
    std::int64_t prompt_tokens = -1;
    std::int64_t completion_tokens = -1;
    std::int64_t total_tokens = -1;
    bool done = false;   // the stream's terminator came, or the answer was whole
    bool error = false;  // an error event inside the stream
    std::string model;   // that answered
    std::string attempts;
    std::string retry_after;
};

// All at once, one thread each, in the order of the questions.
std::vector<Reply> AtOnce(const std::vector<std::function<Reply()>>& questions);

// A gateway of the suite's own, that has the providers' keys. No key may be in its output.
class ProvidersTest : public GatewayTest {
  protected:
    static void StartGateway(std::span<const Provider> providers, Environment more = {});
    static void StopGateway();
    void TearDown() override;

    // `host` of the fake provider that is asked: http://127.0.0.1:PORT.
    static std::string Origin(const FakeProvider& provider);

    struct Row {
        std::string name;
        std::string column;
        std::string endpoint;
        bool worst = false;  // rated so low that it is chosen only when it is named
    };
    // Returns when the gateway offers them, in `state`.
    void AddRows(const std::vector<Row>& rows, std::string_view state = "available");
    // One for each, named <plugin><suffix>, at the stack's fake provider.
    void AddRows(std::span<const Provider> providers, const std::string& suffix);

    // POST /v1/chat/completions; `more` are further members, the messages among them.
    static Reply Ask(const std::string& model, const std::string& more);
    static Reply AskStreamed(const std::string& model, const std::string& more);
    static std::string ModelStates();

    static inline std::unique_ptr<TemporaryFolder> state_;
    static inline std::unique_ptr<Service> gateway_;

  private:
    static inline std::vector<Provider> keyed_;
};

}  // namespace aim::gateway
