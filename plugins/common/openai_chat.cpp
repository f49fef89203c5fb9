#include "plugins/common/openai_chat.hpp"

#include <utility>

namespace aim::openai {
namespace {

using sdk::ErrorKind;
using sdk::Step;

constexpr std::string_view kOperation = "/chat/completions";

// Whether a content type names JSON: "application/json; charset=utf-8", "application/problem+json".
bool IsJson(std::string_view content_type) {
    return content_type.find("json") != content_type.npos;
}

class OpenAiChatSession final : public sdk::Session {
  public:
    OpenAiChatSession(const Dialect& dialect, std::string url, std::string body, bool stream)
        : dialect_(dialect),
          url_(std::move(url)),
          body_(std::move(body)),
          stream_(stream),
          reader_(dialect.response, dialect.errors) {}

    bool Next(const sdk::Call&, sdk::HttpRequest& request) override {
        request.Method("POST")
            .Url(url_)
            .Header("content-type", "application/json")
            .Header("accept", stream_ ? "text/event-stream" : "application/json")
            .Body(body_)
            .Frame(stream_ ? sdk::Framing::kServerSentEvents : sdk::Framing::kWhole);
        AddHeaders(request, dialect_);
        std::string().swap(body_);
        return true;
    }

    Step Head(const sdk::Call& call, const sdk::HttpHead& head) override {
        status_ = head.Status();
        if (!head.Ok()) {
            hints_ = ReadRateLimitHeaders(head, call.NowUnixMs());
        }
        // A stream was asked for and a document came: some models cannot stream, and some providers
        // tell their errors so. The host gives it whole.
        whole_ = !stream_ || IsJson(head.Find("content-type").value_or(""));
        return Step::kContinue;
    }

    Step Data(const sdk::Call& call, const sdk::HttpData& data) override {
        if (IsError()) {
            error_body_ += data.Bytes();
            return Step::kContinue;
        }
        if (whole_) {
            // Concluded at the end: only a complete body is an answer.
            answer_ += data.Bytes();
            return Step::kContinue;
        }
        return reader_.ReadEvent(call, data.Event(), data.Bytes());
    }

    Step End(const sdk::Call& call, sdk::Ending ending) override {
        if (IsError()) {  // what came of the body is good enough to tell the kind
            const UpstreamError error =
                ReadErrorAnswer(status_, error_body_, hints_, dialect_.errors, call.NowUnixMs());
            return call.Fail(error.AsFailure());
        }
        if (whole_ && ending == sdk::Ending::kComplete) {
            return reader_.ReadWhole(call, answer_);
        }
        return reader_.ReadEnd(call, ending);
    }

  private:
    bool IsError() const { return status_ < 200 || status_ >= 300; }

    const Dialect& dialect_;
    std::string url_;
    std::string body_;
    bool stream_;
    bool whole_ = false;
    int status_ = 0;
    RateLimitHints hints_;
    std::string error_body_;
    std::string answer_;
    OpenAiResponseReader reader_;
};

}  // namespace

std::string OperationUrl(std::string_view endpoint, std::string_view operation) {
    const std::size_t query = std::min(endpoint.find('?'), endpoint.size());
    std::string_view path = endpoint.substr(0, query);
    while (!path.empty() && path.back() == '/') {
        path.remove_suffix(1);
    }
    std::string url;
    url.reserve(endpoint.size() + operation.size());
    url = path;
    const bool complete =
        path.size() >= operation.size() && path.substr(path.size() - operation.size()) == operation;
    if (!complete) {
        url += operation;
    }
    url += endpoint.substr(query);
    return url;
}

void AddHeaders(sdk::HttpRequest& request, const Dialect& dialect) {
    request.Header("authorization", dialect.authorization);
    for (const HeaderTemplate& header : dialect.headers) {
        request.Header(header.name, header.value);
    }
}

bool TakeRowSettings(const sdk::Call& call, const sdk::Config& config, RowSettings& row) {
    Refusal refusal;
    if (ReadRowSettings(config.RowSettings(), row, refusal)) {
        return true;
    }
    call.Fail({ErrorKind::kInvalidRequest, refusal.message, {}, refusal.field});
    return false;
}

std::unique_ptr<sdk::Session> StartChat(const sdk::Call& call, const sdk::ChatRequest& request,
                                        const Dialect& dialect, const RowSettings& row) {
    std::string body;
    Refusal refusal;
    if (!WriteRequest(request.Json(), dialect.request, body, refusal, row)) {
        const ErrorKind kind =
            refusal.field.empty() ? ErrorKind::kInvalidRequest : ErrorKind::kUnsupported;
        call.Fail({kind, refusal.message, {}, refusal.field});
        return nullptr;
    }
    const std::string_view endpoint = request.Endpoint();
    const bool names_model = !dialect.model_path_operation.empty() &&
                             endpoint.find("/models/") != endpoint.npos &&
                             endpoint.find("/v1/chat/completions") == endpoint.npos;
    return std::make_unique<OpenAiChatSession>(
        dialect, OperationUrl(endpoint, names_model ? dialect.model_path_operation : kOperation),
        std::move(body), request.Stream());
}

}  // namespace aim::openai
