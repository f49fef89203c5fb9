// The figures of Application for /metrics; apart from its life, which is enough for one file.
#include "core/http/middleware/rate_limit.hpp"
#include "services/business_api/application.hpp"
#include "services/business_api/handlers/provider_test.hpp"

namespace aim::business_api {

void Application::AddGauges() {
    const pipeline::PipelineShared& shared = runtime_.shared();
    metrics_.AddGauge(
        "aimanager_in_flight_prompts", "Prompts that are being worked on; bound MAX_IN_FLIGHT.",
        [&shared] {
            return static_cast<double>(shared.in_flight.load(std::memory_order_relaxed));
        });
    const auto server = [this](std::uint64_t http::ServerTotals::*member) {
        return [this, member] {
            return server_ ? static_cast<double>(server_->Totals().*member) : 0.0;
        };
    };
    metrics_.AddGauge("aimanager_http_connections", "Client connections that are open.",
                      server(&http::ServerTotals::connections_open));
    metrics_.AddCounterCallback("aimanager_http_connections_accepted_total",
                                "Client connections accepted.",
                                server(&http::ServerTotals::connections_accepted));
    metrics_.AddCounterCallback("aimanager_http_connections_refused_total",
                                "Client connections over the limit.",
                                server(&http::ServerTotals::connections_refused));
    metrics_.AddGauge("aimanager_http_requests_in_flight", "Requests without an answer yet.",
                      server(&http::ServerTotals::requests_in_flight));
    metrics_.AddCounterCallback("aimanager_http_requests_refused_total",
                                "Requests that were malformed, too large, too slow or "
                                "found no room for their body.",
                                server(&http::ServerTotals::requests_refused));
    metrics_.AddCounterCallback("aimanager_http_clients_left_total",
                                "Clients that left before their answer.",
                                server(&http::ServerTotals::clients_left));
    metrics_.AddGauge("aimanager_http_bodies_bytes",
                      "Bodies over 64 KiB of requests under way; bound MAX_BODIES_BYTES.",
                      server(&http::ServerTotals::bodies_bytes));
    metrics_.AddGauge("aimanager_draining_attempts",
                      "Attempts that go on although their client has left (ON_DISCONNECT=drain).",
                      [&shared] { return static_cast<double>(shared.drains.inside()); });
    metrics_.AddGauge("aimanager_provider_tests", "Tests of the providers that are under way.",
                      [this] { return static_cast<double>(provider_tests_.load()); });
    metrics_.AddGauge("aimanager_blocking_calls_waiting", "Calls that wait for the blocking pool.",
                      [this] { return static_cast<double>(blocking_.waiting()); });
}

// What every bounded thing is bounded by, so that a dashboard can draw the line.
void Application::AddLimits() {
    const auto limit = [this](const char* of, double value) {
        metrics_.AddGauge("aimanager_limit", "The bounds of queues, pools and buffers.",
                          [value] { return value; }, {{"of", of}});
    };
    const pipeline::Settings& prompts = options_.pipeline;
    const http::RateLimitMiddleware::Options clients;
    const http::ServerOptions server;
    limit("in_flight_prompts", static_cast<double>(prompts.max_in_flight));
    limit("draining_attempts", static_cast<double>(prompts.max_drains));
    limit("http_connections", static_cast<double>(server.max_connections));
    limit("body_bytes", static_cast<double>(options_.max_body_bytes));
    limit("http_bodies_bytes", static_cast<double>(options_.max_bodies_bytes));
    limit("rate_limit_clients", static_cast<double>(clients.max_clients));
    limit("provider_tests", kMostProviderTests);
    limit("blocking_calls_waiting", static_cast<double>(BlockingPool::kQueued));
}

}  // namespace aim::business_api
