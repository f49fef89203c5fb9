#include "plugins/gemini/chat_session.hpp"

#include <string>
#include <utility>

#include "plugins/common/single_exchange.hpp"
#include "plugins/gemini/error_reader.hpp"
#include "plugins/gemini/operation_url.hpp"
#include "plugins/gemini/request_writer.hpp"
#include "plugins/gemini/response_reader.hpp"

namespace aim::gemini {
namespace {

using sdk::ErrorKind;
using sdk::Step;

class ChatSession final : public native::SingleExchange {
  public:
    // `retry_body` is the same request with signatures made up; empty when no call lacks one.
    ChatSession(std::string url, std::string body, std::string retry_body, bool stream)
        : native::SingleExchange(stream),
          url_(std::move(url)),
          body_(std::move(body)),
          retry_body_(std::move(retry_body)) {}

  private:
    void Describe(sdk::HttpRequest& request) override {
        request.Url(url_).Header("x-goog-api-key", "{GOOGLE_AI_STUDIO_API_KEY}").Body(body_);
        std::string().swap(body_);
    }
    Step ReadWhole(const sdk::Call& call, std::string_view body) override {
        return reader_.ReadWhole(call, body);
    }
    Step ReadEvent(const sdk::Call& call, std::string_view, std::string_view data) override {
        return reader_.ReadEvent(call, data);
    }
    Step ReadStreamEnd(const sdk::Call& call) override { return reader_.Conclude(call); }
    Step ReadError(const sdk::Call& call, int status, std::string_view body,
                   const openai::RateLimitHints& hints, bool complete) override {
        const openai::UpstreamError error = ReadErrorAnswer(status, body, hints, call.NowUnixMs());
        if (complete && MissesSignature(error) && !retry_body_.empty()) {
            body_ = std::exchange(retry_body_, {});
            return Step::kNextRequest;
        }
        return call.Fail(error.AsFailure());
    }

    std::string url_;
    std::string body_;
    std::string retry_body_;
    ResponseReader reader_;
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
    if (!WriteRequest(request.Json(), settings_, {}, body, refusal)) {
        call.Fail(
            refusal ? refusal.AsFailure()
                    : sdk::Failure{
                          ErrorKind::kInvalidRequest, "the request is not a JSON object", {}, {}});
        return nullptr;
    }
    std::string retry_body;
    if (request.Has(AIM_CHAT_HAS_TOOL_TURNS)) {
        WriteRequest(request.Json(), settings_, {.stand_in_signatures = true}, retry_body, refusal);
        if (retry_body == body) {
            retry_body.clear();
        }
    }
    std::string url =
        request.Stream()
            ? OperationUrl(request.Endpoint(), request.Model(), "streamGenerateContent", "alt=sse")
            : OperationUrl(request.Endpoint(), request.Model(), "generateContent", {});
    return std::make_unique<ChatSession>(std::move(url), std::move(body), std::move(retry_body),
                                         request.Stream());
}

}  // namespace aim::gemini
