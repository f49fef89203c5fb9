#include "core/runtime/plugin_metrics.hpp"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace aim::runtime {
namespace {

double Seconds(MonotonicTime::duration duration) {
    return std::chrono::duration<double>(duration).count();
}

std::vector<double> Bounds() {
    return {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5};
}

}  // namespace

PluginMetrics::PluginMetrics(telemetry::Metrics& metrics, std::function<void()> on_published)
    : metrics_(metrics),
      on_published_(std::move(on_published)),
      loads_(metrics.AddCounter("aimanager_plugin_loads_total", "Plugin files that were loaded.")),
      probes_passed_(metrics.AddCounter("aimanager_plugin_probes_total",
                                        "Plugin files tried in a child process.",
                                        {{"result", "passed"}})),
      probes_refused_(metrics.AddCounter("aimanager_plugin_probes_total",
                                         "Plugin files tried in a child process.",
                                         {{"result", "refused"}})),
      quarantines_(
          metrics.AddCounter("aimanager_plugin_quarantines_total",
                             "Plugins that were taken out of service because they misbehaved.")),
      rollbacks_(metrics.AddCounter("aimanager_plugin_rollbacks_total",
                                    "Quarantines after which the content before serves again.")),
      probe_time_(metrics.AddHistogram("aimanager_plugin_probe_seconds",
                                       "Time of a probe, its process included; limit 5 s.",
                                       Bounds())),
      publish_time_(metrics.AddHistogram(
          "aimanager_plugin_publish_seconds",
          "Time from the look that found a file's content to its readiness to serve.", Bounds())) {
    // All reasons from the start, so that a first refusal is an increase and no new line.
    for (std::size_t i = 0; i < refusals_.size(); ++i) {
        const auto name = plugin::RefusalName(static_cast<plugin::RefusalReason>(i));
        metrics_.AddCounterCallback(
            "aimanager_plugin_refusals_total", "Plugin files that were refused, by reason.",
            [counter = &refusals_[i]] { return static_cast<double>(counter->Value()); },
            {{"reason", std::string(name)}});
    }
}

void PluginMetrics::AddFiguresOf(const plugin::Registry& registry) {
    metrics_.AddGauge("aimanager_plugins_loaded", "Plugins that serve.", [&registry] {
        return static_cast<double>(registry.Snapshot()->generations().size());
    });
    metrics_.AddGauge("aimanager_plugins_refused",
                      "Plugin files that are not used, or whose newest content is not.",
                      [&registry] { return static_cast<double>(registry.Refusals().size()); });
    metrics_.AddGauge("aimanager_plugin_generations_retiring",
                      "Generations that only finish their sessions.",
                      [&registry] { return static_cast<double>(registry.Retiring().size()); });
    metrics_.AddGauge("aimanager_plugin_libraries_kept",
                      "Libraries that are mapped; they are never unmapped. A restart is advised "
                      "above 64.",
                      [&registry] { return static_cast<double>(registry.kept_libraries()); });
    metrics_.AddGauge("aimanager_plugin_sessions_open", "Sessions under way.", [&registry] {
        std::int64_t open = 0;
        for (const auto& loaded : registry.Loaded()) open += loaded.conduct.open_sessions;
        for (const auto& retiring : registry.Retiring()) open += retiring.conduct.open_sessions;
        return static_cast<double>(open);
    });
    metrics_.AddCounterCallback(
        "aimanager_plugin_slow_calls_total", "Calls into plugins of 5 ms and more a 64 KiB.",
        [&registry] { return static_cast<double>(registry.totals().slow_calls.load()); });
    for (std::size_t i = 0; i < plugin::kMisbehaviourCount; ++i) {
        const auto name = plugin::MisbehaviourName(static_cast<plugin::Misbehaviour>(i));
        metrics_.AddCounterCallback(
            "aimanager_plugin_misbehaviours_total",
            "What plugins did against the rules, by kind; five sessions with any within ten "
            "minutes lead to quarantine.",
            [&registry, i] {
                return static_cast<double>(registry.totals().misbehaviours[i].load());
            },
            {{"kind", std::string(name)}});
    }
}

void PluginMetrics::OnLoaded(const plugin::Generation&, MonotonicTime::duration since_seen) {
    loads_.Increment();
    publish_time_.Observe(Seconds(since_seen));
}

void PluginMetrics::OnRefused(plugin::RefusalReason reason) {
    refusals_[static_cast<std::size_t>(reason)].Increment();
}

void PluginMetrics::OnProbed(const plugin::ProbeVerdict& verdict, MonotonicTime::duration took) {
    (verdict.refusal ? probes_refused_ : probes_passed_).Increment();
    probe_time_.Observe(Seconds(took));
}

void PluginMetrics::OnQuarantined(const plugin::Generation&, bool rolled_back) {
    quarantines_.Increment();
    if (rolled_back) rollbacks_.Increment();
}

}  // namespace aim::runtime
