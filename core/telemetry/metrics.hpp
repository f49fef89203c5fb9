#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/telemetry/counter.hpp"
#include "core/telemetry/histogram.hpp"

namespace aim::telemetry {

// A label of a family. With `values` the set is closed and every other value becomes "other";
// without, the first `limit` different values are taken and later ones become "other". So a client
// can never make the page grow.
struct Label {
    std::string name;
    std::vector<std::string> values = {};
    std::size_t limit = 100;
};

inline constexpr std::string_view kOtherValue = "other";

// Counters or histograms of one name that differ in their labels. With() takes a shared lock and a
// lookup; who uses the same labels again and again keeps the reference (it lives as long as the
// Metrics). Thread-safe.
template <typename Metric>
class MetricFamily {
  public:
    virtual ~MetricFamily() = default;
    // One value a label, in the order of registration.
    virtual Metric& With(std::initializer_list<std::string_view> values) = 0;
};

using CounterFamily = MetricFamily<Counter>;
using HistogramFamily = MetricFamily<Histogram>;
using FixedLabels = std::vector<std::pair<std::string, std::string>>;

// All metrics of a process and the page that shows them. Registration happens at start-up, by name:
// aimanager_…, base units (seconds, bytes), counters end in _total. Everything returned lives as
// long as this object. Thread-safe.
class Metrics {
  public:
    Metrics();
    ~Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    Counter& AddCounter(std::string name, std::string help, FixedLabels labels = {});
    CounterFamily& AddCounterFamily(std::string name, std::string help, std::vector<Label> labels);

    Histogram& AddHistogram(std::string name, std::string help, std::vector<double> bounds,
                            FixedLabels labels = {});
    HistogramFamily& AddHistogramFamily(std::string name, std::string help,
                                        std::vector<double> bounds, std::vector<Label> labels);

    // `read` is called at each scrape, from the scraping thread; it must not wait.
    void AddGauge(std::string name, std::string help, std::function<double()> read,
                  FixedLabels labels = {});
    // The same for a counter that is kept elsewhere (dropped log lines).
    void AddCounterCallback(std::string name, std::string help, std::function<double()> read,
                            FixedLabels labels = {});

    // The page for /metrics: Prometheus text format 0.0.4.
    std::string RenderText() const;
    static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

  private:
    struct Store;
    std::unique_ptr<Store> store_;
};

// Upper bounds in seconds for latencies from 1 ms to 2 min.
std::vector<double> LatencyBounds();

}  // namespace aim::telemetry
