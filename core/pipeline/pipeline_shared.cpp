#include "core/pipeline/pipeline_shared.hpp"

#include <utility>

namespace aim::pipeline {
namespace {

std::vector<double> ShareBounds() {
    return {0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 1};
}

}  // namespace

void RoutingTableSource::Publish(std::shared_ptr<const routing::RoutingTable> table) {
    {
        const std::lock_guard lock(mutex_);
        table_.swap(table);
        version_.fetch_add(1, std::memory_order_release);
    }
    // The old one goes without the lock.
}

std::shared_ptr<const routing::RoutingTable> RoutingTableSource::Get() const {
    const std::lock_guard lock(mutex_);
    return table_;
}

PipelineMetrics::PipelineMetrics(telemetry::Metrics& metrics)
    : attempts(metrics.AddCounterFamily("aimanager_attempts_total",
                                        "Attempts at a model by what became of them.",
                                        {{"model"}, {"outcome"}})),
      attempt_duration(
          metrics.AddHistogramFamily("aimanager_attempt_duration_seconds",
                                     "Time of an attempt, less what the client made it wait.",
                                     telemetry::LatencyBounds(), {{"model"}})),
      first_content(metrics.AddHistogramFamily("aimanager_time_to_first_content_seconds",
                                               "Time from an attempt's start to its first content.",
                                               telemetry::LatencyBounds(), {{"model"}})),
      prompts(metrics.AddCounterFamily("aimanager_prompts_total", "Prompts by how they ended.",
                                       {{"status", {"success", "error", "timeout", "cancelled"}}})),
      refusals(metrics.AddCounterFamily("aimanager_prompts_refused_total",
                                        "Prompts that were not begun, by reason.",
                                        {{"reason", {"overloaded", "ledger_full"}}})),
      fallbacks(
          metrics.AddCounter("aimanager_fallbacks_total", "Attempts after the first of a prompt.")),
      tokens(metrics.AddCounterFamily("aimanager_tokens_total",
                                      "Tokens as the providers counted them.",
                                      {{"model"}, {"direction", {"input", "output"}}})),
      overhead(metrics.AddHistogram("aimanager_overhead_seconds",
                                    "The gateway's own share of a prompt's time.", ShareBounds())) {
}

}  // namespace aim::pipeline
