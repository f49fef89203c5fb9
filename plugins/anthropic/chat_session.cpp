#include "plugins/anthropic/chat_session.hpp"

#include <string>

#include "plugins/anthropic/error_rules.hpp"
#include "plugins/anthropic/message_reader.hpp"
#include "plugins/anthropic/request_writer.hpp"
#include "plugins/common/openai_chat.hpp"
#include "plugins/common/single_exchange.hpp"

namespace aim::anthropic {
namespace {

using sdk::ErrorKind;
using sdk::Step;

class ChatSession final : public native::SingleExchange {
  public:
    ChatSession(std::string url, std::string beta, std::string body, bool stream)
        : native::SingleExchange(stream),
          url_(std::move(url)),
          beta_(std::move(beta)),
          body_(std::move(body)) {}

  private:
    void Describe(sdk::HttpRequest& request) override {
        request.Url(url_)
            .Header("x-api-key", "{ANTHROPIC_API_KEY}")
            .Header("anthropic-version", kVersion)
            .Body(body_);
        if (!beta_.empty()) {
            request.Header("anthropic-beta", beta_);
        }
        std::string().swap(body_);
    }
    Step ReadWhole(const sdk::Call& call, std::string_view body) override {
        return reader_.ReadWhole(call, body);
    }
    Step ReadEvent(const sdk::Call& call, std::string_view name, std::string_view data) override {
        return reader_.ReadEvent(call, name, data);
    }
    // `message_stop` would have concluded it.
    Step ReadStreamEnd(const sdk::Call& call) override { return native::FailUnfinished(call); }
    Step ReadError(const sdk::Call& call, int status, std::string_view body,
                   const openai::RateLimitHints& hints, bool) override {
        return call.Fail(openai::ReadErrorAnswer(status, body, hints, kErrorRules).AsFailure());
    }

    std::string url_;
    std::string beta_;
    std::string body_;
    MessageReader reader_;
};

}  // namespace

std::unique_ptr<ChatProvider> ChatProvider::Create(const sdk::Call& call,
                                                   const sdk::Config& config) {
    Settings settings = ReadSettings(call, config);
    return call.Failed() ? nullptr : std::make_unique<ChatProvider>(std::move(settings));
}

std::unique_ptr<sdk::Session> ChatProvider::Start(const sdk::Call& call,
                                                  const sdk::ChatRequest& request,
                                                  std::uint64_t) const {
    std::string body;
    native::Refusal refusal;
    if (!WriteRequest(request.Json(), settings_, body, refusal)) {
        call.Fail(
            refusal ? refusal.AsFailure()
                    : sdk::Failure{
                          ErrorKind::kInvalidRequest, "the request is not a JSON object", {}, {}});
        return nullptr;
    }
    return std::make_unique<ChatSession>(openai::OperationUrl(request.Endpoint(), "/messages"),
                                         settings_.beta, std::move(body), request.Stream());
}

}  // namespace aim::anthropic
