#include "services/business_api/handlers/caller_history.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "core/http/url.hpp"

namespace aim::business_api {
namespace {

constexpr std::chrono::milliseconds kTimeout{5000};
constexpr int kDefaultRows = 20;
constexpr int kMostRows = 200;
constexpr std::size_t kLongestCursor = 256;

// The data API's query, from the caller's: nothing but the key decides whose rows they are.
Result<std::string> QueryFor(const http::Request& request) {
    int limit = kDefaultRows;
    if (const auto text = http::QueryValue(request.query(), "limit")) {
        const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), limit);
        if (error != std::errc() || end != text->data() + text->size() || limit < 1 ||
            limit > kMostRows)
            return FailField("limit", "limit must be 1 to 200");
    }
    std::string query =
        "/api/v1/prompts/history?key_id=" + request.key_id + "&limit=" + std::to_string(limit);
    if (const auto cursor = http::QueryValue(request.query(), "cursor")) {
        // What the data API makes needs no encoding; anything else is not from there.
        const bool plain = std::all_of(cursor->begin(), cursor->end(), [](char c) {
            return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                   c == '-' || c == '_' || c == '.';
        });
        if (cursor->empty() || cursor->size() > kLongestCursor || !plain)
            return FailField("cursor", "cursor must be a next_cursor of an earlier page");
        query.append("&cursor=").append(*cursor);
    }
    return query;
}

http::Response Refusal(const http::Request& request, const http::ErrorWriter& errors,
                       const Error& error) {
    // What the caller gave wrong is said again; everything else means that the rows cannot be had.
    if (error.kind == ErrorKind::kInvalidRequest && !error.field.empty())
        return errors.Write(http::Protocol::kNative, request.request_id, error);
    http::ErrorAnswer answer;
    answer.code = "database_unavailable";
    answer.message = "The history cannot be read at the moment.";
    return errors.Write(http::Protocol::kNative, request.request_id, answer);
}

Task<> AnswerHistory(http::Exchange& exchange, LoopServices& services,
                     const http::ErrorWriter& errors) {
    auto query = QueryFor(exchange.request);
    if (!query) {
        http::Response refusal = Refusal(exchange.request, errors, query.error());
        co_await exchange.writer.Send(std::move(refusal));
        co_return;
    }
    auto rows = co_await services.data_api().Get(std::move(*query), kTimeout);
    http::Response response = rows ? http::Response::Json(200, std::move(*rows))
                                   : Refusal(exchange.request, errors, rows.error());
    co_await exchange.writer.Send(std::move(response));
}

}  // namespace

void AddCallerHistoryRoute(http::Router& router, const std::shared_ptr<LoopServices>& services,
                           const http::ErrorWriter& errors) {
    http::RoutePolicy policy;
    policy.scope = security::Scope::kHistory;
    router.AddStream(
        http::Method::kGet, "/api/v1/prompts/history",
        [services, &errors](http::Exchange& exchange) {
            return AnswerHistory(exchange, *services, errors);
        },
        policy);
}

}  // namespace aim::business_api
