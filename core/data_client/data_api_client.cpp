#include "core/data_client/data_api_client.hpp"

#include <utility>

#include "core/data_client/model_reader.hpp"
#include "core/json/json.hpp"

namespace aim::data_client {
namespace {

constexpr std::size_t kMaxAnswerBytes = 256u * 1024 * 1024;

Unexpected Refused(int status, std::string_view body) {
    std::string message = "the data API answered " + std::to_string(status);
    std::string code;
    std::string field;
    if (auto document = json::Parse(body)) {
        const json::Value root = document->root();
        code = root.Get("error_code").StringOr("");
        field = root.Get("context").Get("field").StringOr("");
        if (const auto text = root.Get("error").AsString())
            message.append(": ").append(text->substr(0, 512));
    }
    Error error;
    error.kind =
        status >= 500 || status == 429 ? ErrorKind::kOverloaded : ErrorKind::kInvalidRequest;
    error.message = std::move(message);
    error.code = std::move(code);
    error.field = std::move(field);
    error.upstream_status = status;
    return Unexpected(std::move(error));
}

}  // namespace

Task<Result<DataApiClient::Answer>> DataApiClient::Call(std::string method, std::string path,
                                                        std::string etag, std::string body,
                                                        std::chrono::milliseconds timeout) {
    http::client::UpstreamRequest request;
    request.method = std::move(method);
    request.url = base_;
    if (request.url.target == "/") request.url.target.clear();
    request.url.target += path;
    request.headers.Add("Accept", "application/json");
    if (!token_.empty()) request.headers.Add("X-API-Key", token_.Reveal());
    if (!etag.empty()) request.headers.Add("If-None-Match", etag);
    if (!body.empty()) request.headers.Add("Content-Type", "application/json");
    request.body = std::move(body);

    Cancellation cancellation;
    TimerQueue::Timer timer(
        timers_, [&cancellation] { cancellation.Cancel(Cancellation::Reason::kDeadline); });
    timer.ArmAfter(timeout);
    http::client::ExchangeLimits limits;
    limits.connect = timeout;
    auto exchange = co_await client_.Send(std::move(request), limits, cancellation);
    if (!exchange) {
        Error error = std::move(exchange.error());
        if (error.kind == ErrorKind::kCancelled) {
            error.kind = ErrorKind::kUpstreamTimeout;
            error.message = "the data API did not answer in time";
        }
        co_return Unexpected(std::move(error));
    }
    Answer answer;
    answer.status = (*exchange)->status();
    answer.etag = (*exchange)->headers().Find("ETag");
    for (;;) {
        auto piece = co_await (*exchange)->Read();
        if (!piece) co_return Unexpected(std::move(piece.error()));
        if (piece->empty()) break;
        if (answer.body.size() + piece->size() > kMaxAnswerBytes) {
            co_return Fail(ErrorKind::kProtocolError, "the data API's answer is over 256 MiB");
        }
        answer.body.append(*piece);
    }
    co_return answer;
}

Task<Result<CatalogueAnswer>> DataApiClient::Models(std::string known_etag,
                                                    std::chrono::milliseconds timeout,
                                                    bool with_ciphertext) {
    std::string path = with_ciphertext ? "/api/v1/models?include=ciphertext" : "/api/v1/models";
    std::string method = "GET";
    auto answer = co_await Call(std::move(method), std::move(path), std::move(known_etag),
                                std::string(), timeout);
    if (!answer) co_return Unexpected(std::move(answer.error()));
    CatalogueAnswer catalogue;
    catalogue.etag = std::move(answer->etag);
    if (answer->status == 304) {
        catalogue.not_modified = true;
        co_return catalogue;
    }
    if (answer->status != 200) co_return Refused(answer->status, answer->body);
    auto models = ReadModels(answer->body, catalogue.skipped);
    if (!models) co_return Unexpected(std::move(models.error()));
    catalogue.models = std::move(*models);
    catalogue.body = std::move(answer->body);
    co_return catalogue;
}

Task<Result<std::string>> DataApiClient::Get(std::string path_and_query,
                                             std::chrono::milliseconds timeout) {
    std::string method = "GET";
    auto answer = co_await Call(std::move(method), std::move(path_and_query), std::string(),
                                std::string(), timeout);
    if (!answer) co_return Unexpected(std::move(answer.error()));
    if (answer->status != 200) co_return Refused(answer->status, answer->body);
    co_return std::move(answer->body);
}

Task<Result<TaggedAnswer>> DataApiClient::GetIfChanged(std::string path_and_query,
                                                       std::string known_etag,
                                                       std::chrono::milliseconds timeout) {
    std::string method = "GET";
    auto answer = co_await Call(std::move(method), std::move(path_and_query), std::move(known_etag),
                                std::string(), timeout);
    if (!answer) co_return Unexpected(std::move(answer.error()));
    TaggedAnswer tagged;
    tagged.not_modified = answer->status == 304;
    if (!tagged.not_modified && answer->status != 200)
        co_return Refused(answer->status, answer->body);
    tagged.etag = std::move(answer->etag);
    tagged.body = std::move(answer->body);
    co_return tagged;
}

Task<Result<std::string>> DataApiClient::Post(std::string path, std::string body,
                                              std::chrono::milliseconds timeout) {
    std::string method = "POST";
    auto answer =
        co_await Call(std::move(method), std::move(path), std::string(), std::move(body), timeout);
    if (!answer) co_return Unexpected(std::move(answer.error()));
    if (answer->status < 200 || answer->status > 299)
        co_return Refused(answer->status, answer->body);
    co_return std::move(answer->body);
}

Task<Result<LedgerAnswer>> DataApiClient::PostLedger(std::string body,
                                                     std::chrono::milliseconds timeout) {
    std::string path = "/api/v1/ledger";
    std::string method = "POST";
    auto answer =
        co_await Call(std::move(method), std::move(path), std::string(), std::move(body), timeout);
    if (!answer) co_return Unexpected(std::move(answer.error()));
    if (answer->status != 200) co_return Refused(answer->status, answer->body);
    const json::Limits limits{80, false};
    auto document = json::Parse(answer->body, limits);
    if (!document)
        co_return Fail(ErrorKind::kProtocolError,
                       "the data API's answer to the ledger is not JSON");
    const json::Value root = document->root();
    LedgerAnswer ledger;
    ledger.applied = root.Get("applied").Int64Or(0);
    ledger.duplicates = root.Get("duplicates").Int64Or(0);
    for (const auto& [key, value] : root.Get("models")) {
        if (auto model = ReadModel(value)) ledger.models.push_back(std::move(*model));
    }
    for (const auto& [key, value] : root.Get("rejected")) {
        ledger.rejected.push_back({std::string(value.Get("id").StringOr("")),
                                   std::string(value.Get("reason").StringOr(""))});
    }
    co_return ledger;
}

}  // namespace aim::data_client
