#include "core/runtime/upstream_metrics.hpp"

#include <algorithm>

namespace aim::runtime {

using http::client::ClientStats;

const std::array<UpstreamMetrics::Counter, 9> UpstreamMetrics::kCounters = {{
    {"aimanager_upstream_connections_created_total", "Connections to providers that were made.",
     &ClientStats::connections_created},
    {"aimanager_upstream_connections_reused_total", "Requests that took a kept connection.",
     &ClientStats::connections_reused},
    {"aimanager_upstream_connections_stale_total",
     "Kept connections that turned out to be closed; the request was sent again.",
     &ClientStats::connections_stale},
    {"aimanager_upstream_connect_failures_total", "Connections that could not be made.",
     &ClientStats::connect_failures},
    {"aimanager_upstream_pool_waits_total", "Requests that had to queue for a connection.",
     &ClientStats::pool_waits},
    {"aimanager_upstream_pool_refusals_total",
     "Requests that got no connection: the queue was full, or the time was over.",
     &ClientStats::pool_refusals},
    {"aimanager_upstream_requests_total", "Requests to providers and to the data API.",
     &ClientStats::exchanges},
    {"aimanager_upstream_tls_handshakes_total", "TLS handshakes with providers.",
     &ClientStats::tls_handshakes},
    {"aimanager_upstream_tls_resumptions_total", "Those that resumed a session.",
     &ClientStats::tls_resumptions},
}};

UpstreamMetrics::Member::Member(UpstreamMetrics& owner, const ClientStats& stats)
    : owner_(owner), stats_(stats) {
    const std::lock_guard lock(owner_.mutex_);
    owner_.members_.push_back(&stats_);
}

UpstreamMetrics::Member::~Member() {
    const std::lock_guard lock(owner_.mutex_);
    std::erase(owner_.members_, &stats_);
    for (std::size_t i = 0; i < kCounters.size(); ++i)
        owner_.gone_[i] += (stats_.*kCounters[i].figure).Value();
}

std::int64_t UpstreamMetrics::Sum(Figure figure) const {
    const std::lock_guard lock(mutex_);
    std::int64_t sum = 0;
    for (const ClientStats* stats : members_) sum += (stats->*figure).Value();
    for (std::size_t i = 0; i < kCounters.size(); ++i) {
        if (kCounters[i].figure == figure) sum += gone_[i];
    }
    return sum;
}

void UpstreamMetrics::Register(telemetry::Metrics& metrics,
                               const http::client::Resolver& resolver) {
    const auto sum = [this](Figure figure) {
        return [this, figure] { return static_cast<double>(Sum(figure)); };
    };
    metrics.AddGauge("aimanager_upstream_connections_open",
                     "Connections to providers now: connecting, in use or idle.",
                     sum(&ClientStats::connections_open));
    metrics.AddGauge("aimanager_upstream_connections_idle", "Those that are kept unused.",
                     sum(&ClientStats::connections_idle));
    metrics.AddGauge("aimanager_upstream_pool_waiting", "Requests that wait for a connection now.",
                     sum(&ClientStats::waiting));
    for (const Counter& counter : kCounters)
        metrics.AddCounterCallback(counter.name, counter.help, sum(counter.figure));

    const http::client::Resolver::Stats& names = resolver.stats();
    const auto value = [](const std::atomic<std::int64_t>& number) {
        return [&number] { return static_cast<double>(number.load(std::memory_order_relaxed)); };
    };
    metrics.AddGauge("aimanager_resolver_queue", "Names that wait to be looked up.",
                     value(names.queued));
    metrics.AddGauge("aimanager_resolver_cache", "Names that are remembered.", value(names.cached));
    metrics.AddCounterCallback("aimanager_resolver_lookups_total", "Names that were looked up.",
                               value(names.lookups));
    metrics.AddCounterCallback("aimanager_resolver_failures_total", "Names that were not found.",
                               value(names.failures));
    metrics.AddCounterCallback("aimanager_resolver_refusals_total",
                               "Look-ups refused because too many names waited.",
                               value(names.refusals));
}

}  // namespace aim::runtime
