#pragma once

#include "core/base/clock.hpp"
#include "core/http/middleware.hpp"
#include "core/telemetry/log.hpp"
#include "core/telemetry/metrics.hpp"

namespace aim::http {

// Counts and logs every answer when its head is made: of a stream this is the time to its first
// byte. Labels are route patterns, never paths. Prompts have a log line of their own, so the one
// written here is for debugging, but for our own failures. Near the front of the chain, behind the
// request id. Thread-safe.
class AccessLogMiddleware final : public Middleware {
  public:
    // Registers aimanager_http_requests_total and aimanager_http_request_duration_seconds. Logger
    // and metrics outlive it.
    AccessLogMiddleware(telemetry::Logger& logger, telemetry::Metrics& metrics,
                        const Clock& clock = SystemClock());

    std::optional<Response> Before(Request&, const Route*) override { return std::nullopt; }
    void After(const Request& request, const Route* route, Response& response) override;

  private:
    telemetry::Logger& logger_;
    const Clock& clock_;
    telemetry::CounterFamily& requests_;
    telemetry::HistogramFamily& durations_;
};

}  // namespace aim::http
