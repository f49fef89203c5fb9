#include "core/http/middleware/rate_limit.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace aim::http {
namespace {

resilience::RateLimiter::Options LimiterOptions(const RateLimitMiddleware::Options& options) {
    resilience::RateLimiter::Options limiter;
    limiter.limit = options.per_minute;
    limiter.period = std::chrono::minutes(1);
    limiter.max_keys = options.max_clients;
    return limiter;
}

std::uint32_t WholeSeconds(std::chrono::milliseconds time) {
    return static_cast<std::uint32_t>(std::chrono::ceil<std::chrono::seconds>(time).count());
}

}  // namespace

RateLimitMiddleware::RateLimitMiddleware(Options options, const Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      errors_(clock),
      limiter_(LimiterOptions(options_)) {}

std::optional<Response> RateLimitMiddleware::Before(Request& request, const Route* route) {
    if (route == nullptr || !route->policy.rate_limited) return std::nullopt;
    const std::uint32_t limit = request.key_rate_limit.value_or(options_.per_minute);
    if (limit == 0) return std::nullopt;
    const auto& exempt = options_.exempt_keys;
    if (!request.key_id.empty() &&
        std::find(exempt.begin(), exempt.end(), request.key_id) != exempt.end())
        return std::nullopt;
    // A key with a limit of its own has it once, wherever it is used from. Else the address counts
    // too; a line end is in neither, so that no pair looks like another. Reused memory: one thread
    // works on one request at a time.
    thread_local std::string client;
    client.assign(request.key_id);
    if (!request.key_rate_limit) client.append("\n").append(request.client_address);
    const resilience::RateLimitDecision decision = limiter_.Check(client, clock_.Now(), limit);
    request.rate_limit =
        RateLimitState{decision.limit, decision.remaining, WholeSeconds(decision.reset_after)};
    if (decision.allowed) return std::nullopt;
    refused_.Increment();
    ErrorAnswer answer;
    answer.code = "rate_limited";
    const std::string message =
        "Too many requests: the limit is " + std::to_string(decision.limit) + " a minute.";
    answer.message = message;
    answer.retry_after = decision.retry_after;
    return errors_.Write(ProtocolFor(request, route), request.request_id, answer);
}

void RateLimitMiddleware::After(const Request& request, const Route*, Response& response) {
    if (!request.rate_limit) return;
    response.headers.Set("RateLimit-Limit", std::to_string(request.rate_limit->limit));
    response.headers.Set("RateLimit-Remaining", std::to_string(request.rate_limit->remaining));
    response.headers.Set("RateLimit-Reset", std::to_string(request.rate_limit->reset_seconds));
}

}  // namespace aim::http
