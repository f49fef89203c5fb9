// The chat session of an OpenAI-compatible provider: one POST, one answer. A plugin is a Dialect
// (its policies) and a descriptor; everything else is here.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "aim/sdk/session.hpp"
#include "plugins/common/openai_error_reader.hpp"
#include "plugins/common/openai_request_writer.hpp"
#include "plugins/common/openai_response_reader.hpp"

namespace aim::openai {

struct HeaderTemplate {
    std::string_view name;
    std::string_view value;  // "{OPENAI_PROJECT}"
};

// How a provider's embeddings differ from OpenAI's. What it cannot do is refused by name.
struct EmbeddingsPolicy {
    std::string_view dimensions = {};  // its name of the field; empty: it has none
    bool token_ids = false;            // takes inputs as token ids
    bool base64 = false;               // is asked for base64: a quarter of the bytes
    bool known_fields_only = false;    // refuses fields beside model, input and dimensions
};

// One provider's ways. Static and immutable.
struct Dialect {
    std::string_view authorization;           // header template, "Bearer {GROQ_API_KEY}"
    std::span<const HeaderTemplate> headers;  // further ones; the host leaves out those whose
                                              // setting has no value
    // Where not empty: the operation behind an endpoint that names a model (…/models/org/name).
    std::string_view model_path_operation = {};
    RequestPolicy request;
    ResponsePolicy response;
    ErrorRules errors;
    EmbeddingsPolicy embeddings = {};
};

// `endpoint` with `operation` ("/chat/completions") behind its path, unless it ends so already. A
// query stays at the end.
std::string OperationUrl(std::string_view endpoint, std::string_view operation);

// Adds the headers that every request of the dialect has.
void AddHeaders(sdk::HttpRequest& request, const Dialect& dialect);

// Null after call.Fail(). Dialect and row must outlive the session, as static data and a provider
// object do.
std::unique_ptr<sdk::Session> StartChat(const sdk::Call& call, const sdk::ChatRequest& request,
                                        const Dialect& dialect, const RowSettings& row = {});

// The settings of a row; false after call.Fail().
bool TakeRowSettings(const sdk::Call& call, const sdk::Config& config, RowSettings& row);

template <const Dialect& kDialect>
class OpenAiChatProvider final : public sdk::ChatProvider {
  public:
    static std::unique_ptr<OpenAiChatProvider> Create(const sdk::Call& call,
                                                      const sdk::Config& config) {
        auto provider = std::make_unique<OpenAiChatProvider>();
        return TakeRowSettings(call, config, provider->row_) ? std::move(provider) : nullptr;
    }
    std::unique_ptr<sdk::Session> Start(const sdk::Call& call, const sdk::ChatRequest& request,
                                        std::uint64_t) const override {
        return StartChat(call, request, kDialect, row_);
    }

  private:
    RowSettings row_;
};

}  // namespace aim::openai
