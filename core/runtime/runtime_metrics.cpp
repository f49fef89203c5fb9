// The figures of ModelRuntime for /metrics; apart from its life, which is enough for one file.
#include <string>
#include <utility>

#include "core/runtime/model_runtime.hpp"

namespace aim::runtime {

void ModelRuntime::AddLedgerMetrics() {
    using Status = ledger::Journal::Status;
    using Stats = ledger::Delivery::Stats;
    const auto gauge = [this](std::string name, std::string help, auto read) {
        metrics_.AddGauge(std::move(name), std::move(help),
                          [this, read] { return static_cast<double>(read(ledger_.status())); });
    };
    const auto of_journal = [this](std::string name, std::string help, auto read) {
        metrics_.AddCounterCallback(std::move(name), std::move(help), [this, read] {
            return static_cast<double>(read(ledger_.status()));
        });
    };
    const auto of_delivery = [this](std::string name, std::string help, auto read) {
        metrics_.AddCounterCallback(std::move(name), std::move(help), [this, read] {
            return static_cast<double>(read(delivery_->stats()));
        });
    };
    gauge("aimanager_ledger_queue_records", "Records that wait for the data API.",
          [](const Status& status) { return status.pending_records; });
    gauge("aimanager_ledger_queue_bytes", "Their size; bound LEDGER_MAX_BYTES.",
          [](const Status& status) { return status.pending_bytes; });
    gauge("aimanager_ledger_memory_records", "Of those, records that are in memory only.",
          [](const Status& status) { return status.memory_records; });
    gauge("aimanager_ledger_segments", "Files of the ledger's journal.",
          [](const Status& status) { return status.segments; });
    gauge("aimanager_ledger_oldest_record_age_seconds",
          "Age of the oldest record that waits for the data API.", [](const Status& status) {
              return std::chrono::duration<double>(status.oldest_age).count();
          });
    gauge("aimanager_ledger_degraded", "1 while the disk does not take the ledger.",
          [](const Status& status) { return status.degraded ? 1 : 0; });
    of_journal("aimanager_ledger_appended_total", "Records written down.",
               [](const Status& status) { return status.appended; });
    of_journal("aimanager_ledger_replayed_total", "Records found from an earlier process.",
               [](const Status& status) { return status.replayed; });
    of_journal("aimanager_ledger_corrupt_total", "Records lost to damage on the disk.",
               [](const Status& status) { return status.corrupt; });
    of_journal("aimanager_ledger_torn_tails_total",
               "Segments whose end was cut at the last whole record.",
               [](const Status& status) { return status.torn_tails; });
    of_journal("aimanager_ledger_disk_errors_total", "What the disk has refused to the ledger.",
               [](const Status& status) { return status.disk_errors; });
    of_journal("aimanager_ledger_unsynced_answers_total",
               "Answers that went out before the sync that they should have waited for.",
               [](const Status& status) { return status.unsynced_answers; });
    of_delivery("aimanager_ledger_delivered_total", "Records that the data API has acknowledged.",
                [](const Stats& stats) { return stats.delivered.load(); });
    of_delivery("aimanager_ledger_duplicates_total", "Of those, records that it knew before.",
                [](const Stats& stats) { return stats.duplicates.load(); });
    of_delivery("aimanager_ledger_rejected_total", "Records that the data API will never take.",
                [](const Stats& stats) { return stats.rejected.load(); });
    of_delivery("aimanager_ledger_failed_calls_total", "Deliveries that have to be repeated.",
                [](const Stats& stats) { return stats.failed_calls.load(); });
    metrics_.AddCounterCallback("aimanager_ledger_dead_letters_dropped_total",
                                "Rejected records that could not be kept.",
                                [this] { return static_cast<double>(dead_letters_.dropped()); });
    ledger_.ObserveSyncs(metrics_.AddHistogram(
        "aimanager_ledger_fsync_seconds", "Time of a sync of the ledger's journal.",
        {0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5}));
}

// What every bounded thing is bounded by, so that a dashboard can draw the line.
void ModelRuntime::AddLimits() {
    const auto limit = [this](const char* of, double value) {
        metrics_.AddGauge("aimanager_limit", "The bounds of queues, pools and buffers.",
                          [value] { return value; }, {{"of", of}});
    };
    const http::client::PoolLimits& pool = client_options_.pool;
    const http::client::Resolver::Options names;
    limit("ledger_queue_bytes", static_cast<double>(options_.ledger_max_bytes));
    limit("ledger_memory_bytes", static_cast<double>(ledger_.options().memory_bytes));
    // A loop and an origin each:
    limit("upstream_connections_per_origin", static_cast<double>(pool.connections_per_origin));
    limit("upstream_pool_waiting_per_origin", static_cast<double>(pool.waiters_per_origin));
    limit("upstream_idle_per_origin", static_cast<double>(pool.idle_per_origin));
    limit("upstream_origins", static_cast<double>(pool.origins));
    limit("resolver_queue", static_cast<double>(names.queue_limit));
    limit("resolver_cache", static_cast<double>(names.cache_limit));
}

void ModelRuntime::AddMetrics() {
    AddLedgerMetrics();
    metrics_.AddCounterCallback("aimanager_log_lines_dropped_total",
                                "Log lines dropped because the output did not keep up.",
                                [this] { return static_cast<double>(logger_.dropped()); });
    metrics_.AddGauge("aimanager_loops_stalled", "Loops that stand still, and why is in the log.",
                      [this] { return static_cast<double>(watchdog_.stalls().size()); });
    metrics_.AddCounterCallback("aimanager_loop_stalls_total",
                                "How often a loop has stood still for three seconds.",
                                [this] { return static_cast<double>(watchdog_.total()); });
    plugin_metrics_.AddFiguresOf(registry_);
    upstream_metrics_.Register(metrics_, *resolver_);
    AddLimits();
}

}  // namespace aim::runtime
