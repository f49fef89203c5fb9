#include "core/http/middleware/access_log.hpp"

#include <chrono>
#include <string>

namespace aim::http {
namespace {

constexpr std::string_view kUnmatched = "unmatched";

}  // namespace

AccessLogMiddleware::AccessLogMiddleware(telemetry::Logger& logger, telemetry::Metrics& metrics,
                                         const Clock& clock)
    : logger_(logger),
      clock_(clock),
      requests_(metrics.AddCounterFamily("aimanager_http_requests_total", "Requests answered.",
                                         {{"method"}, {"route"}, {"status"}})),
      durations_(metrics.AddHistogramFamily(
          "aimanager_http_request_duration_seconds",
          "From the end of a request's head to the beginning of its answer.",
          telemetry::LatencyBounds(), {{"route"}})) {}

void AccessLogMiddleware::After(const Request& request, const Route* route, Response& response) {
    const std::string_view pattern =
        route != nullptr ? std::string_view(route->pattern) : kUnmatched;
    const std::string_view method = MethodName(request.method);
    requests_.With({method, pattern, std::to_string(response.status)}).Increment();
    // A request whose head never became complete has no beginning.
    std::int64_t micros = 0;
    if (request.received_at != MonotonicTime()) {
        const auto duration = clock_.Now() - request.received_at;
        durations_.With({pattern}).Observe(std::chrono::duration<double>(duration).count());
        micros = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
    }
    const telemetry::Level level =
        response.status >= 500 ? telemetry::Level::kWarning : telemetry::Level::kDebug;
    if (!logger_.Enabled(level)) return;
    logger_.Log(level, "request_answered", "Request answered",
                {{telemetry::kRequestIdField, request.request_id},
                 {"method", method},
                 {"route", pattern},
                 {"status", response.status},
                 {"duration_us", micros},
                 {"client", request.client_address},
                 {"key_id", request.key_id}});
}

}  // namespace aim::http
