#include "services/telegram_bot/telegram_client.hpp"

#include <algorithm>
#include <utility>

#include "services/telegram_bot/http_call.hpp"

namespace aim::telegram_bot {
namespace {

constexpr std::size_t kMostAnswerBytes = std::size_t{32} << 20;
constexpr std::size_t kMostDescription = 300;
constexpr std::int64_t kLongestRetryAfter = 24 * 3600;

std::string_view ResultLabel(const ApiFailure& failure) {
    if (failure.cancelled) return "cancelled";
    switch (failure.code) {
        case 0:
            return "unreachable";
        case 401:
            return "unauthorized";
        case 403:
            return "forbidden";
        case 404:
            return "not_found";
        case 409:
            return "conflict";
        case 429:
            return "rate_limited";
        default:
            return failure.code >= 500 ? "server_error" : "bad_request";
    }
}

}  // namespace

std::string TelegramClient::WithoutToken(std::string_view text) const {
    std::string clean(text.substr(0, kMostDescription));
    const std::string_view token = token_.Reveal();
    for (std::size_t at = clean.find(token); !token.empty() && at != std::string::npos;
         at = clean.find(token, at))
        clean.replace(at, token.size(), "***");
    return clean;
}

ApiResult<json::Document> TelegramClient::Understand(int status, std::string_view body) const {
    auto document = json::Parse(body, {.max_depth = 64, .refuse_duplicate_keys = false});
    const json::Value root = document ? document->root() : json::Value();
    if (status == 200 && root.Get("ok").BoolOr(false)) return std::move(*document);
    ApiFailure failure;
    failure.code = status == 200 ? 0 : status;
    if (!root.IsObject()) {
        failure.unreadable = status == 200;
        // A proxy's page, for example; what it says is of no use.
        failure.description =
            "an answer that is not the Bot API's (HTTP status " + std::to_string(status) + ")";
        return tl::unexpected(std::move(failure));
    }
    failure.code = static_cast<int>(root.Get("error_code").Int64Or(failure.code));
    failure.description = WithoutToken(root.Get("description").StringOr("no description"));
    const json::Value parameters = root.Get("parameters");
    if (const auto seconds = parameters.Get("retry_after").AsInt64()) {
        failure.retry_after =
            std::chrono::seconds(std::clamp<std::int64_t>(*seconds, 0, kLongestRetryAfter));
    }
    failure.migrate_to_chat_id = parameters.Get("migrate_to_chat_id").Int64Or(0);
    return tl::unexpected(std::move(failure));
}

Task<ApiResult<json::Document>> TelegramClient::Call(std::string method, std::string arguments,
                                                     std::chrono::milliseconds timeout,
                                                     Cancellation& cancellation) {
    http::client::UpstreamRequest request;
    request.method = "POST";
    request.url = base_;
    if (request.url.target == "/") request.url.target.clear();
    request.url.target.append("/bot").append(token_.Reveal()).append("/").append(method);
    request.headers.Add("Content-Type", "application/json");
    request.headers.Add("Accept", "application/json");
    request.body = std::move(arguments);
    std::string peer = "the Bot API";
    auto reply = co_await CallWhole(client_, timers_, std::move(request), std::move(peer), timeout,
                                    kMostAnswerBytes, cancellation);
    ApiResult<json::Document> result;
    if (reply) {
        result = Understand(reply->status, reply->body);
    } else {
        ApiFailure failure;
        failure.description = WithoutToken(reply.error().message);
        failure.cancelled = cancellation.IsCancelled();
        result = tl::unexpected(std::move(failure));
    }
    metrics_.calls.With({method, result ? std::string_view("ok") : ResultLabel(result.error())})
        .Increment();
    co_return result;
}

}  // namespace aim::telegram_bot
