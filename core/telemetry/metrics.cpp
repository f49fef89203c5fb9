#include "core/telemetry/metrics.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <stdexcept>
#include <unordered_map>

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace aim::telemetry {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricType;

void Fill(const Counter& counter, ClientMetric& out) {
    out.counter.value = static_cast<double>(counter.Value());
}

void Fill(const Histogram& histogram, ClientMetric& out) {
    const Histogram::Totals totals = histogram.Read();
    out.histogram.sample_count = totals.count;
    out.histogram.sample_sum = totals.sum;
    std::uint64_t cumulative = 0;
    for (std::size_t i = 0; i < totals.buckets.size(); ++i) {
        cumulative += totals.buckets[i];
        ClientMetric::Bucket bucket;
        bucket.cumulative_count = cumulative;
        bucket.upper_bound = i < histogram.bounds().size()
                                 ? histogram.bounds()[i]
                                 : std::numeric_limits<double>::infinity();
        out.histogram.bucket.push_back(bucket);
    }
}

std::vector<ClientMetric::Label> ToLabels(const FixedLabels& labels) {
    std::vector<ClientMetric::Label> out;
    for (const auto& [name, value] : labels) out.push_back({name, value});
    return out;
}

// All series of one name, as prometheus-cpp wants to see them.
class Series final : public prometheus::Collectable {
  public:
    Series(std::string name, std::string help, MetricType type)
        : name_(std::move(name)), help_(std::move(help)), type_(type) {}

    MetricType type() const { return type_; }

    void Add(const FixedLabels& labels, std::function<void(ClientMetric&)> fill) {
        const std::lock_guard lock(mutex_);
        series_.push_back({ToLabels(labels), std::move(fill)});
    }

    std::vector<prometheus::MetricFamily> Collect() const override {
        const std::lock_guard lock(mutex_);
        prometheus::MetricFamily family{name_, help_, type_, {}};
        for (const One& one : series_) {
            ClientMetric& metric = family.metric.emplace_back();
            metric.label = one.labels;
            one.fill(metric);
        }
        return {std::move(family)};
    }

  private:
    struct One {
        std::vector<ClientMetric::Label> labels;
        std::function<void(ClientMetric&)> fill;
    };

    std::string name_;
    std::string help_;
    MetricType type_;
    mutable std::mutex mutex_;
    std::vector<One> series_;
};

template <typename Metric>
class LabelledFamily final : public MetricFamily<Metric> {
  public:
    using Make = std::function<std::unique_ptr<Metric>()>;

    LabelledFamily(Series& series, std::vector<Label> labels, Make make)
        : series_(series),
          labels_(std::move(labels)),
          taken_(labels_.size()),
          make_(std::move(make)) {}

    Metric& With(std::initializer_list<std::string_view> values) override {
        // Most values stand on the page as they are: they are looked for before it is asked which
        // are admitted. Reused memory.
        thread_local std::string key;
        key.clear();
        for (std::size_t i = 0; i < labels_.size(); ++i) AppendToKey(ValueAt(values, i), key);
        {
            const std::shared_lock lock(mutex_);
            auto found = metrics_.find(key);
            if (found == metrics_.end() && BuildKey(values, key)) found = metrics_.find(key);
            if (found != metrics_.end()) return *found->second;
        }
        return Create(values);
    }

  private:
    // The value as the page shows it; false when it is a new one that there is still room for.
    bool Admitted(std::size_t label, std::string_view value, std::string_view& shown) const {
        const Label& rule = labels_[label];
        shown = value;
        if (!rule.values.empty()) {
            if (std::find(rule.values.begin(), rule.values.end(), value) == rule.values.end())
                shown = kOtherValue;
            return true;
        }
        if (value == kOtherValue || taken_[label].contains(value)) return true;
        if (taken_[label].size() < rule.limit) return false;
        shown = kOtherValue;
        return true;
    }

    std::string_view ValueAt(std::initializer_list<std::string_view> values,
                             std::size_t label) const {
        return label < values.size() ? values.begin()[label] : kOtherValue;
    }

    static void AppendToKey(std::string_view shown, std::string& key) {
        key.append(shown).push_back('\xff');  // a byte that UTF-8 never has
    }

    bool BuildKey(std::initializer_list<std::string_view> values, std::string& key) const {
        key.clear();
        for (std::size_t i = 0; i < labels_.size(); ++i) {
            std::string_view shown;
            if (!Admitted(i, ValueAt(values, i), shown)) return false;
            AppendToKey(shown, key);
        }
        return true;
    }

    Metric& Create(std::initializer_list<std::string_view> values) {
        const std::lock_guard lock(mutex_);
        std::string key;
        FixedLabels shown_labels;
        for (std::size_t i = 0; i < labels_.size(); ++i) {
            std::string_view shown;
            if (!Admitted(i, ValueAt(values, i), shown)) taken_[i].emplace(shown);
            AppendToKey(shown, key);
            shown_labels.emplace_back(labels_[i].name, shown);
        }
        std::unique_ptr<Metric>& metric = metrics_[key];
        if (metric == nullptr) {
            metric = make_();
            series_.Add(shown_labels,
                        [&counted = *metric](ClientMetric& out) { Fill(counted, out); });
        }
        return *metric;
    }

    Series& series_;
    std::vector<Label> labels_;
    mutable std::shared_mutex mutex_;
    std::vector<std::set<std::string, std::less<>>> taken_;  // values of open labels
    std::unordered_map<std::string, std::unique_ptr<Metric>> metrics_;
    Make make_;
};

}  // namespace

struct Metrics::Store {
    mutable std::mutex mutex;
    std::map<std::string, std::unique_ptr<Series>> by_name;
    std::vector<std::shared_ptr<void>> owned;

    Series& Named(const std::string& name, const std::string& help, MetricType type) {
        const std::lock_guard lock(mutex);
        std::unique_ptr<Series>& series = by_name[name];
        if (series == nullptr) series = std::make_unique<Series>(name, help, type);
        if (series->type() != type)
            throw std::logic_error("metric registered with two types: " + name);
        return *series;
    }

    template <typename T>
    T& Own(std::shared_ptr<T> object) {
        const std::lock_guard lock(mutex);
        owned.push_back(object);
        return *object;
    }
};

Metrics::Metrics() : store_(std::make_unique<Store>()) {}
Metrics::~Metrics() = default;

Counter& Metrics::AddCounter(std::string name, std::string help, FixedLabels labels) {
    Counter& counter = store_->Own(std::make_shared<Counter>());
    store_->Named(name, help, MetricType::Counter).Add(labels, [&counter](ClientMetric& out) {
        Fill(counter, out);
    });
    return counter;
}

CounterFamily& Metrics::AddCounterFamily(std::string name, std::string help,
                                         std::vector<Label> labels) {
    Series& series = store_->Named(name, help, MetricType::Counter);
    return store_->Own(std::make_shared<LabelledFamily<Counter>>(
        series, std::move(labels), [] { return std::make_unique<Counter>(); }));
}

Histogram& Metrics::AddHistogram(std::string name, std::string help, std::vector<double> bounds,
                                 FixedLabels labels) {
    Histogram& histogram = store_->Own(std::make_shared<Histogram>(std::move(bounds)));
    store_->Named(name, help, MetricType::Histogram).Add(labels, [&histogram](ClientMetric& out) {
        Fill(histogram, out);
    });
    return histogram;
}

HistogramFamily& Metrics::AddHistogramFamily(std::string name, std::string help,
                                             std::vector<double> bounds,
                                             std::vector<Label> labels) {
    Series& series = store_->Named(name, help, MetricType::Histogram);
    const auto make = [bounds = std::move(bounds)] { return std::make_unique<Histogram>(bounds); };
    return store_->Own(
        std::make_shared<LabelledFamily<Histogram>>(series, std::move(labels), make));
}

void Metrics::AddGauge(std::string name, std::string help, std::function<double()> read,
                       FixedLabels labels) {
    store_->Named(name, help, MetricType::Gauge)
        .Add(labels, [read = std::move(read)](ClientMetric& out) { out.gauge.value = read(); });
}

void Metrics::AddCounterCallback(std::string name, std::string help, std::function<double()> read,
                                 FixedLabels labels) {
    store_->Named(name, help, MetricType::Counter)
        .Add(labels, [read = std::move(read)](ClientMetric& out) { out.counter.value = read(); });
}

std::string Metrics::RenderText() const {
    std::vector<prometheus::MetricFamily> families;
    {
        const std::lock_guard lock(store_->mutex);
        for (const auto& [name, series] : store_->by_name) {
            for (prometheus::MetricFamily& family : series->Collect())
                families.push_back(std::move(family));
        }
    }
    return prometheus::TextSerializer().Serialize(families);
}

std::vector<double> LatencyBounds() {
    return {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
            1,     2.5,    5,     10,   20,    30,   60,  120};
}

}  // namespace aim::telemetry
