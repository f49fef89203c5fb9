#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "core/plugin/registry.hpp"
#include "core/telemetry/metrics.hpp"

namespace aim::runtime {

// What the plugin platform counts, on /metrics and in GET /api/v1/plugins. Called by the loader;
// readable from any thread.
class PluginMetrics final : public plugin::RegistryObserver {
  public:
    // `on_published` is called on the loader thread when another set of plugins serves; it must not
    // block.
    PluginMetrics(telemetry::Metrics& metrics, std::function<void()> on_published);

    // The gauges and counters that the registry keeps itself. It must outlive the scrapes.
    void AddFiguresOf(const plugin::Registry& registry);

    void OnLoaded(const plugin::Generation& generation,
                  MonotonicTime::duration since_seen) override;
    void OnRefused(plugin::RefusalReason reason) override;
    void OnProbed(const plugin::ProbeVerdict& verdict, MonotonicTime::duration took) override;
    void OnQuarantined(const plugin::Generation& generation, bool rolled_back) override;
    void OnPublished() override { on_published_(); }

    std::uint64_t loads() const { return loads_.Value(); }
    std::uint64_t probes() const { return probes_passed_.Value() + probes_refused_.Value(); }
    std::uint64_t quarantines() const { return quarantines_.Value(); }
    std::uint64_t rollbacks() const { return rollbacks_.Value(); }
    std::uint64_t refusals(plugin::RefusalReason reason) const {
        return refusals_[static_cast<std::size_t>(reason)].Value();
    }

  private:
    telemetry::Metrics& metrics_;
    const std::function<void()> on_published_;
    telemetry::Counter& loads_;
    telemetry::Counter& probes_passed_;
    telemetry::Counter& probes_refused_;
    telemetry::Counter& quarantines_;
    telemetry::Counter& rollbacks_;
    telemetry::Histogram& probe_time_;
    telemetry::Histogram& publish_time_;
    std::array<telemetry::Counter, plugin::kRefusalReasonCount> refusals_;
};

}  // namespace aim::runtime
