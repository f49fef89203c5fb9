// The load generator's parts that are no parser: nonces, arrivals, percentiles, options.
#include <chrono>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/bench/arrivals.hpp"
#include "tests/bench/latencies.hpp"
#include "tests/bench/load_options.hpp"
#include "tests/bench/load_report.hpp"
#include "tests/bench/nonce.hpp"

namespace aim::bench {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

std::optional<LoadOptions> Read(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "bench_load");
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    return ReadLoadOptions(static_cast<int>(pointers.size()), pointers.data());
}

TEST(MarkedRequestTest, WritesANewNonceEachTime) {
    MarkedRequest request("before nonce [........] after",
                          std::numeric_limits<std::uint32_t>::max());
    std::set<Nonce> seen;
    for (int i = 0; i < 1000; ++i) {
        const Nonce nonce = request.Renew();
        seen.insert(nonce);
        ASSERT_TRUE(Holds(request.text(), nonce));
        ASSERT_EQ(request.text(),
                  "before nonce [" + std::string(nonce.data(), nonce.size()) + "] after");
    }
    EXPECT_EQ(seen.size(), 1000u);
    EXPECT_FALSE(Holds("an answer to another prompt", request.Renew()));
}

TEST(MarkedRequestTest, LeavesATextWithoutThePlaceAlone) {
    MarkedRequest request("nothing here", 1);
    EXPECT_FALSE(request.marked());
    request.Renew();
    EXPECT_EQ(request.text(), "nothing here");
}

TEST(ArrivalsTest, AreEvenlySpacedAndNotMoreThanTheTimeHolds) {
    const Clock::time_point start{};
    const Arrivals arrivals(start, 1000, 2s);
    EXPECT_EQ(arrivals.total(), 2000u);
    EXPECT_EQ(arrivals.At(0), start);
    EXPECT_EQ(arrivals.At(1500), start + 1500ms);
    EXPECT_EQ(arrivals.DueBy(start - 1ns), 0u);
    EXPECT_EQ(arrivals.DueBy(start), 1u);
    EXPECT_EQ(arrivals.DueBy(start + 999us), 1u);
    EXPECT_EQ(arrivals.DueBy(start + 1500ms + 1us), 1501u);
    EXPECT_EQ(arrivals.DueBy(start + 1h), 2000u);
}

TEST(LatenciesTest, PercentilesAreNearestRanks) {
    Latencies latencies;
    EXPECT_EQ(latencies.Microseconds(0.5), 0);
    for (int i = 1000; i > 0; --i) latencies.Add(std::chrono::microseconds(i));
    latencies.Sort();
    EXPECT_EQ(latencies.Microseconds(0), 1);
    EXPECT_EQ(latencies.Microseconds(0.5), 500);
    EXPECT_EQ(latencies.Microseconds(0.99), 990);
    EXPECT_EQ(latencies.Microseconds(0.999), 999);
    EXPECT_EQ(latencies.Microseconds(1), 1000);
    EXPECT_EQ(latencies.MeanMicroseconds(), 500.5);
    EXPECT_EQ(latencies.CurveJson().substr(0, 21), "[[0,1.0],[10,100.0],[");
}

TEST(LatenciesTest, TakesAnyTime) {
    Latencies latencies;
    latencies.Add(-1h);
    latencies.Add(1h);
    latencies.Sort();
    EXPECT_EQ(latencies.Microseconds(0), 0);
    EXPECT_EQ(latencies.Microseconds(1), 4e8);
}

TEST(LoadReportTest, IsGoodOnlyWhenEveryRequestWasAnswered) {
    RequestReport report;
    EXPECT_FALSE(report.Good()) << "nothing was answered";
    report.latencies.Add(1us);
    EXPECT_TRUE(report.Good());
    report.unanswered = 1;
    EXPECT_FALSE(report.Good());
    report.unanswered = 0;
    report.errors = 1;
    EXPECT_FALSE(report.Good());
    EXPECT_NE(report.Json().find("\"errors\":1,"), std::string::npos);
}

TEST(LoadOptionsTest, ReadsAnOpenLoop) {
    const auto options =
        Read({"--url", "http://127.0.0.1:80/v1", "--rate", "2500.5", "--seconds", "1.5"});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->rate, 2500.5);
    EXPECT_EQ(options->duration, 1500ms);
    EXPECT_NE(options->request.find(MarkedRequest::kPlace), std::string::npos);
    const auto unmarked = Read({"--url", "http://127.0.0.1:80/v1", "--seconds", "1", "--no-nonce"});
    ASSERT_TRUE(unmarked);
    EXPECT_EQ(unmarked->request.find("nonce"), std::string::npos);
}

TEST(LoadOptionsTest, RefusesWhatMakesNoSense) {
    const std::vector<std::string> good = {"--url", "http://127.0.0.1:80/v1"};
    const std::vector<std::vector<std::string>> bad = {
        {},
        {"--rate", "100"},
        {"--rate", "100", "--requests", "10"},
        {"--rate", "0", "--seconds", "1"},
        {"--rate", "nan", "--seconds", "1"},
        {"--rate", "100", "--seconds", "1", "--stream"},
        {"--seconds", "nan"},
        {"--seconds", "-1"},
        {"--seconds", "1", "--pace-ms", "x"},
        {"--seconds"},
        {"--nothing", "1"},
    };
    for (const auto& further : bad) {
        std::vector<std::string> arguments = good;
        arguments.insert(arguments.end(), further.begin(), further.end());
        EXPECT_FALSE(Read(arguments)) << ::testing::PrintToString(further);
    }
}

}  // namespace
}  // namespace aim::bench
