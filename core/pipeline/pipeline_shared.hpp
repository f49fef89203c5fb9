#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

#include "core/base/clock.hpp"
#include "core/ledger/journal.hpp"
#include "core/pipeline/drain_room.hpp"
#include "core/pipeline/settings.hpp"
#include "core/routing/candidate.hpp"
#include "core/routing/model_states.hpp"
#include "core/telemetry/log.hpp"
#include "core/telemetry/metrics.hpp"

namespace aim::pipeline {

// Where the newest routing table is published, and everybody takes it from. Thread-safe.
class RoutingTableSource {
  public:
    RoutingTableSource()
        : table_(std::make_shared<const routing::RoutingTable>(std::vector<routing::Candidate>())) {
    }

    // Whoever gets this table afterwards also sees its version: what one loop lists, the others
    // know.
    void Publish(std::shared_ptr<const routing::RoutingTable> table);
    std::shared_ptr<const routing::RoutingTable> Get() const;
    std::uint64_t version() const { return version_.load(std::memory_order_acquire); }

  private:
    std::atomic<std::uint64_t> version_{0};
    mutable std::mutex mutex_;
    std::shared_ptr<const routing::RoutingTable> table_;
};

struct PipelineMetrics {
    explicit PipelineMetrics(telemetry::Metrics& metrics);

    telemetry::CounterFamily& attempts;            // model, outcome
    telemetry::HistogramFamily& attempt_duration;  // model
    telemetry::HistogramFamily& first_content;     // model
    telemetry::CounterFamily& prompts;             // status
    telemetry::CounterFamily& refusals;            // reason
    telemetry::Counter& fallbacks;
    telemetry::CounterFamily& tokens;  // model, direction
    telemetry::Histogram& overhead;
};

// What all loops share. Outlives the services.
struct PipelineShared {
    const Settings& settings;
    const Clock& clock;
    routing::ModelStates& states;
    RoutingTableSource& tables;
    ledger::Journal& ledger;
    PipelineMetrics& metrics;
    telemetry::Logger& logger;
    std::atomic<std::int64_t> in_flight{0};
    DrainRoom drains{};
};

}  // namespace aim::pipeline
