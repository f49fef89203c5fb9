#include "plugins/cloudflare/chat_session.hpp"

#include <string>

#include "plugins/cloudflare/address.hpp"
#include "plugins/cloudflare/error_reader.hpp"
#include "plugins/cloudflare/native_reader.hpp"
#include "plugins/cloudflare/native_request.hpp"
#include "plugins/common/openai_request_writer.hpp"
#include "plugins/common/openai_response_reader.hpp"
#include "plugins/common/single_exchange.hpp"

namespace aim::cloudflare {
namespace {

using sdk::ErrorKind;
using sdk::Step;

constexpr openai::RequestPolicy kOpenAiPolicy = {
    .token_limit = openai::TokenLimitField::kMaxTokens,
    .developer_is_system = true,
    .no_nulls_in_messages = true,
    .no_platform_fields = true,
    .one_choice_only = true,
    .function_tools_only = true,
    .images_as_data_only = true,
};

class NativeSession final : public native::SingleExchange {
  public:
    // `body` lacks its last brace.
    NativeSession(std::string url, std::string body, std::int64_t max_tokens, bool stream)
        : native::SingleExchange(stream),
          url_(std::move(url)),
          body_(std::move(body)),
          reader_(max_tokens) {}

  private:
    void Describe(sdk::HttpRequest& request) override {
        request.Url(url_)
            .Header("authorization", kAuthorization)
            .Body(body_)
            .Body(Streamed() ? ",\"stream\":true}" : "}");
    }
    Step ReadWhole(const sdk::Call& call, std::string_view body) override {
        if (Streamed() && NativeReader::IsEmptyAnswer(body)) {
            StopStreaming();
            return Step::kNextRequest;
        }
        return reader_.ReadWhole(call, body);
    }
    Step ReadEvent(const sdk::Call& call, std::string_view name, std::string_view data) override {
        return reader_.ReadEvent(call, name, data);
    }
    Step ReadStreamEnd(const sdk::Call& call) override { return reader_.ReadStreamEnd(call); }
    Step ReadError(const sdk::Call& call, int status, std::string_view body,
                   const openai::RateLimitHints& hints, bool) override {
        return call.Fail(ReadErrorAnswer(status, body, hints, call.NowUnixMs()).AsFailure());
    }

    std::string url_;
    std::string body_;
    NativeReader reader_;
};

class OpenAiSession final : public native::SingleExchange {
  public:
    OpenAiSession(std::string url, std::string body, bool stream)
        : native::SingleExchange(stream),
          url_(std::move(url)),
          body_(std::move(body)),
          reader_({}, {}) {}

  private:
    void Describe(sdk::HttpRequest& request) override {
        request.Url(url_).Header("authorization", kAuthorization).Body(body_);
        std::string().swap(body_);
    }
    // Errors come in Cloudflare's envelope here too.
    Step ReadWhole(const sdk::Call& call, std::string_view body) override {
        sdk::JsonDocument document;
        if (document.Parse(body) && HasError(document.Root())) {
            return call.Fail(ReadErrorObject(document.Root(), call.NowUnixMs()).AsFailure());
        }
        return reader_.ReadWhole(call, body);
    }
    Step ReadEvent(const sdk::Call& call, std::string_view name, std::string_view data) override {
        constexpr std::string_view kErrors = "\"errors\"";
        sdk::JsonDocument document;
        const bool suspicious = data.find(kErrors) != data.npos;
        if (suspicious && document.Parse(data) && HasError(document.Root())) {
            return call.Fail(ReadErrorObject(document.Root(), call.NowUnixMs()).AsFailure());
        }
        return reader_.ReadEvent(call, name, data);
    }
    Step ReadStreamEnd(const sdk::Call& call) override {
        return reader_.ReadEnd(call, sdk::Ending::kComplete);
    }
    Step ReadError(const sdk::Call& call, int status, std::string_view body,
                   const openai::RateLimitHints& hints, bool) override {
        return call.Fail(ReadErrorAnswer(status, body, hints, call.NowUnixMs()).AsFailure());
    }

    std::string url_;
    std::string body_;
    openai::OpenAiResponseReader reader_;
};

std::unique_ptr<sdk::Session> StartOpenAi(const sdk::Call& call, const sdk::ChatRequest& request,
                                          std::string url) {
    std::string body;
    openai::Refusal refusal;
    if (!openai::WriteRequest(request.Json(), kOpenAiPolicy, body, refusal)) {
        const ErrorKind kind =
            refusal.field.empty() ? ErrorKind::kInvalidRequest : ErrorKind::kUnsupported;
        call.Fail({kind, refusal.message, {}, refusal.field});
        return nullptr;
    }
    return std::make_unique<OpenAiSession>(std::move(url), std::move(body), request.Stream());
}

}  // namespace

std::unique_ptr<ChatProvider> ChatProvider::Create(const sdk::Call& call,
                                                   const sdk::Config& config) {
    Settings settings = ReadSettings(call, config);
    return call.Failed() ? nullptr : std::make_unique<ChatProvider>(std::move(settings));
}

std::unique_ptr<sdk::Session> ChatProvider::Start(const sdk::Call& call,
                                                  const sdk::ChatRequest& request,
                                                  std::uint64_t) const {
    Address address = ChatAddress(request.Endpoint(), request.Model(), settings_);
    if (address.url.empty()) {
        call.Fail({ErrorKind::kUnauthenticated,
                   "CLOUDFLARE_ACCOUNT_ID is not set and the endpoint names no account",
                   "no_account", "CLOUDFLARE_ACCOUNT_ID"});
        return nullptr;
    }
    if (address.api == Api::kOpenAi) {
        return StartOpenAi(call, request, std::move(address.url));
    }
    const std::int64_t max_tokens = request.MaxTokens().value_or(settings_.default_max_tokens);
    std::string body;
    native::Refusal refusal;
    if (!WriteNativeRequest(request.Json(), max_tokens, body, refusal)) {
        call.Fail(
            refusal ? refusal.AsFailure()
                    : sdk::Failure{
                          ErrorKind::kInvalidRequest, "the request is not a JSON object", {}, {}});
        return nullptr;
    }
    return std::make_unique<NativeSession>(std::move(address.url), std::move(body), max_tokens,
                                           request.Stream());
}

}  // namespace aim::cloudflare
