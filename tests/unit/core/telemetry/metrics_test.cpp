#include "core/telemetry/metrics.hpp"

#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aim::telemetry {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::size_t CountOf(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++count;
    return count;
}

TEST(Counter, SumsOverThreads) {
    Counter counter;
    std::vector<std::thread> threads;
    for (int t = 0; t < 12; ++t) {
        threads.emplace_back([&counter] {
            for (int i = 0; i < 1000; ++i) counter.Increment();
            counter.Increment(5);
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(counter.Value(), 12u * 1005u);
}

TEST(Histogram, CountsIntoTheRightBuckets) {
    Histogram histogram({1, 0.1, 10, 1});  // sorted, without repetitions
    for (const double value : {0.05, 0.1, 0.11, 1.0, 5.0, 10.0, 11.0, -1.0})
        histogram.Observe(value);
    histogram.Observe(std::numeric_limits<double>::quiet_NaN());
    const Histogram::Totals totals = histogram.Read();
    EXPECT_EQ(totals.buckets, (std::vector<std::uint64_t>{3, 2, 2, 1}));
    EXPECT_EQ(totals.count, 8u);
    EXPECT_NEAR(totals.sum, 26.26, 1e-9);
}

TEST(Histogram, LosesNothingOverThreads) {
    Histogram histogram({0.5});
    std::vector<std::thread> threads;
    for (int t = 0; t < 12; ++t) {
        threads.emplace_back([&histogram, t] {
            for (int i = 0; i < 1000; ++i) histogram.Observe(t % 2);
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(histogram.Read().buckets, (std::vector<std::uint64_t>{6000, 6000}));
    EXPECT_EQ(histogram.Read().sum, 6000.0);
}

TEST(Metrics, RendersThePrometheusText) {
    Metrics metrics;
    metrics.AddCounter("aimanager_http_requests_total", "HTTP requests.", {{"route", "/v1/models"}})
        .Increment(3);
    metrics.AddCounter("aimanager_http_requests_total", "HTTP requests.", {{"route", "/health"}})
        .Increment();
    metrics.AddGauge("aimanager_connections", "Open connections.", [] { return 7.0; });
    metrics.AddCounterCallback("aimanager_log_lines_dropped_total", "Dropped.", [] { return 2.0; });
    Histogram& latency =
        metrics.AddHistogram("aimanager_request_duration_seconds", "Duration.", {0.1, 1});
    latency.Observe(0.05);
    latency.Observe(0.5);
    latency.Observe(30);
    const std::string page = metrics.RenderText();
    EXPECT_THAT(page, HasSubstr("# TYPE aimanager_http_requests_total counter\n"));
    EXPECT_EQ(CountOf(page, "# TYPE aimanager_http_requests_total"), 1u);
    EXPECT_THAT(page, HasSubstr("aimanager_http_requests_total{route=\"/v1/models\"} 3\n"));
    EXPECT_THAT(page, HasSubstr("aimanager_http_requests_total{route=\"/health\"} 1\n"));
    EXPECT_THAT(page, HasSubstr("# TYPE aimanager_connections gauge\naimanager_connections 7\n"));
    EXPECT_THAT(page, HasSubstr("aimanager_log_lines_dropped_total 2\n"));
    EXPECT_THAT(page, HasSubstr("aimanager_request_duration_seconds_bucket{le=\"0.1\"} 1\n"));
    EXPECT_THAT(page, HasSubstr("aimanager_request_duration_seconds_bucket{le=\"1\"} 2\n"));
    EXPECT_THAT(page, HasSubstr("aimanager_request_duration_seconds_bucket{le=\"+Inf\"} 3\n"));
    EXPECT_THAT(page, HasSubstr("aimanager_request_duration_seconds_count 3\n"));
    EXPECT_THAT(page, HasSubstr("aimanager_request_duration_seconds_sum 30.55"));
}

TEST(Metrics, OneNameHasOneType) {
    Metrics metrics;
    metrics.AddCounter("aimanager_x_total", "X.");
    EXPECT_THROW(metrics.AddGauge("aimanager_x_total", "X.", [] { return 0.0; }), std::logic_error);
}

TEST(CounterFamily, ClosedSetsSendTheRestToOther) {
    Metrics metrics;
    CounterFamily& family =
        metrics.AddCounterFamily("aimanager_requests_total", "Requests.",
                                 {{"method", {"GET", "POST"}}, {"status", {"2xx", "5xx"}}});
    family.With({"GET", "2xx"}).Increment();
    family.With({"GET", "2xx"}).Increment();
    family.With({"BREW", "2xx"}).Increment();
    family.With({"TEA", "2xx"}).Increment();
    family.With({"POST"}).Increment();  // a missing value
    EXPECT_EQ(&family.With({"BREW", "2xx"}), &family.With({"TEA", "2xx"}));
    const std::string page = metrics.RenderText();
    EXPECT_THAT(page, HasSubstr("aimanager_requests_total{method=\"GET\",status=\"2xx\"} 2\n"));
    EXPECT_THAT(page, HasSubstr("aimanager_requests_total{method=\"other\",status=\"2xx\"} 2\n"));
    EXPECT_THAT(page, HasSubstr("aimanager_requests_total{method=\"POST\",status=\"other\"} 1\n"));
    EXPECT_THAT(page, Not(HasSubstr("BREW")));
}

TEST(CounterFamily, OpenSetsAreBounded) {
    Metrics metrics;
    CounterFamily& family = metrics.AddCounterFamily("aimanager_by_model_total", "By model.",
                                                     {{.name = "model", .limit = 3}});
    for (int i = 0; i < 1000; ++i) family.With({"model" + std::to_string(i)}).Increment();
    family.With({"model1"}).Increment();
    const std::string page = metrics.RenderText();
    EXPECT_EQ(CountOf(page, "aimanager_by_model_total{"), 4u);
    EXPECT_THAT(page, HasSubstr("aimanager_by_model_total{model=\"model1\"} 2\n"));
    EXPECT_THAT(page, HasSubstr("aimanager_by_model_total{model=\"other\"} 997\n"));
}

TEST(HistogramFamily, ThreadsMayAskForTheSameAndNewLabelsWhileThePageIsRead) {
    Metrics metrics;
    HistogramFamily& family = metrics.AddHistogramFamily("aimanager_seconds", "Seconds.",
                                                         LatencyBounds(), {{.name = "model"}});
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&family] {
            for (int i = 0; i < 500; ++i)
                family.With({"model" + std::to_string(i % 20)}).Observe(0.5);
        });
    }
    for (int i = 0; i < 20; ++i) EXPECT_THAT(metrics.RenderText(), Not(HasSubstr("model20")));
    for (std::thread& thread : threads) thread.join();
    EXPECT_THAT(metrics.RenderText(),
                HasSubstr("aimanager_seconds_count{model=\"model19\"} 100\n"));
}

}  // namespace
}  // namespace aim::telemetry
