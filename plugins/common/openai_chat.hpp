// The chat session of an OpenAI-compatible provider: one POST, one answer. A plugin is a Dialect
// (its policies) and a descriptor; everything else is here.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "aim/sdk/session.hpp"
#include "plugins/common/openai_error_reader.hpp"
#include "plugins/common/openai_request_writer.hpp"
#include "plugins/common/openai_response_reader.hpp"

namespace aim::openai {

// One provider's ways. Static and immutable.
struct Dialect {
    std::string_view authorization;  // header template, "Bearer {GROQ_API_KEY}"
    RequestPolicy request;
    ResponsePolicy response;
    ErrorRules errors;
};

// `endpoint` with `operation` ("/chat/completions") behind its path, unless it ends so already. A
// query stays at the end.
std::string OperationUrl(std::string_view endpoint, std::string_view operation);

// The dialect must outlive the session, as static data does.
std::unique_ptr<sdk::Session> StartChat(const sdk::Call& call, const sdk::ChatRequest& request,
                                        const Dialect& dialect);

template <const Dialect& kDialect>
class OpenAiChatProvider final : public sdk::ChatProvider {
  public:
    // The rows of such a provider have no settings of their own; the host's are its business.
    static std::unique_ptr<OpenAiChatProvider> Create(const sdk::Call&, const sdk::Config&) {
        return std::make_unique<OpenAiChatProvider>();
    }
    std::unique_ptr<sdk::Session> Start(const sdk::Call& call, const sdk::ChatRequest& request,
                                        std::uint64_t) const override {
        return StartChat(call, request, kDialect);
    }
};

}  // namespace aim::openai
