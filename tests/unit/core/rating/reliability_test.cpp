#include "core/rating/reliability.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/random.hpp"

namespace aim::rating {
namespace {

constexpr std::int64_t kMillisecond = 1000;

struct Case {
    const char* name;
    Counters counters;
    std::int64_t success_rate, speed_score, reliability_score, error_rate;  // hundredths
    std::int64_t average_ms;
};

TEST(Reliability, FollowsTheFormula) {
    const std::vector<Case> cases = {
        {"no requests", {}, 10000, 10000, 10000, 0, 0},
        {"all good, 1 s", {10, 10, 0, 10 * 1000 * kMillisecond, 10}, 10000, 8000, 9200, 0, 1000},
        {"half good, no time", {2, 1, 1, 0, 0}, 5000, 10000, 7000, 5000, 0},
        {"all failed", {3, 0, 3, 3 * kMillisecond, 3}, 0, 9998, 3999, 10000, 1},
        {"five seconds is the slowest that shows",
         {1, 1, 0, 5000 * kMillisecond, 1},
         10000,
         0,
         6000,
         0,
         5000},
        {"slower is not below zero", {1, 1, 0, 60000 * kMillisecond, 1}, 10000, 0, 6000, 0, 60000},
        {"thirds", {3, 2, 1, 0, 0}, 6667, 10000, 8000, 3333, 0},
        {"the contract's row",
         {1543, 1521, 22, 1543LL * 1234 * kMillisecond, 1543},
         9857,
         7532,
         8927,
         143,
         1234},
        {"untimed successes leave the average",
         {3, 3, 0, 100 * kMillisecond, 1},
         10000,
         9800,
         9920,
         0,
         100},
        {"half a millisecond is rounded up",
         {2, 2, 0, 3 * kMillisecond, 2},
         10000,
         9997,
         9999,
         0,
         2},
        {"just below is rounded down", {2, 2, 0, 3 * kMillisecond - 2, 2}, 10000, 9997, 9999, 0, 1},
    };
    for (const Case& c : cases) {
        const Reliability result = ComputeReliability(c.counters);
        EXPECT_EQ(result.success_rate.value, c.success_rate) << c.name;
        EXPECT_EQ(result.speed_score.value, c.speed_score) << c.name;
        EXPECT_EQ(result.reliability_score.value, c.reliability_score) << c.name;
        EXPECT_EQ(result.error_rate_percent.value, c.error_rate) << c.name;
        EXPECT_EQ(result.avg_response_time_ms, c.average_ms) << c.name;
    }
}

TEST(Reliability, TheScoreIsMadeOfExactSumsNotOfRoundedParts) {
    // success 33.333…, speed 33.334: exactly 33.33360, from rounded parts 33.33 x 0.6 + 33.33 x 0.4
    // = 33.33; and a case where it matters: success 66.666…, speed 0.005 exactly: 40 + 0.002
    // = 40.00 (rounded parts: 66.67 x 0.6 + 0.01 x 0.4 = 40.006 = 40.01).
    const Counters counters{3, 2, 1, 4999750, 1};
    const Reliability result = ComputeReliability(counters);
    EXPECT_EQ(result.success_rate.value, 6667);
    EXPECT_EQ(result.speed_score.value, 1);
    EXPECT_EQ(result.reliability_score.value, 4000);
}

TEST(Reliability, AgreesWithFloatingPointOverRandomCounters) {
    const auto random = MakeSeededRandom(21);
    for (int i = 0; i < 20000; ++i) {
        Counters c;
        c.total_requests = static_cast<std::int64_t>(random->Next() % 100000) + 1;
        c.successful_requests = static_cast<std::int64_t>(random->Next()) & INT64_MAX;
        c.successful_requests %= c.total_requests + 1;
        c.failed_requests = c.total_requests - c.successful_requests;
        c.timed_requests = static_cast<std::int64_t>(
            random->Next() % static_cast<std::uint64_t>(c.total_requests + 1));
        c.response_time_sum_us =
            c.timed_requests * static_cast<std::int64_t>(random->Next() % 8000000);
        const double rate = 100.0L * c.successful_requests / c.total_requests;
        const double average_ms =
            c.timed_requests == 0 ? 0 : c.response_time_sum_us / 1000.0L / c.timed_requests;
        const double speed = std::max(0.0, 100 - average_ms / 50);
        const Reliability result = ComputeReliability(c);
        EXPECT_NEAR(result.reliability_score.ToDouble(), rate * 0.6 + speed * 0.4, 0.00501);
        EXPECT_NEAR(result.success_rate.ToDouble(), rate, 0.00501);
        EXPECT_NEAR(result.error_rate_percent.ToDouble(), 100 - rate, 0.00501);
        EXPECT_NEAR(static_cast<double>(result.avg_response_time_ms), average_ms, 0.501);
    }
}

TEST(Reliability, AnyRowGivesFiguresInRange) {
    const std::int64_t values[] = {INT64_MIN, -1, 0, 1, 1000, std::int64_t{1} << 41, INT64_MAX};
    for (const std::int64_t total : values) {
        for (const std::int64_t good : values) {
            for (const std::int64_t sum : values) {
                for (const std::int64_t timed : values) {
                    const Reliability r = ComputeReliability({total, good, 0, sum, timed});
                    for (const Hundredths figure :
                         {r.success_rate, r.speed_score, r.reliability_score}) {
                        EXPECT_GE(figure.value, 0);
                        EXPECT_LE(figure.value, 10000);
                    }
                    EXPECT_GE(r.avg_response_time_ms, 0);
                }
            }
        }
    }
    // Large counts keep their proportions.
    const std::int64_t many = std::int64_t{1} << 50;
    EXPECT_EQ(ComputeReliability({4 * many, 3 * many, many, many * 1000, many}).success_rate.value,
              7500);
}

TEST(Counters, AddAndSubtractWithoutWrapping) {
    Counters counters{10, 6, 4, 500, 5};
    counters += Counters{1, 1, 0, 20, 1};
    EXPECT_EQ(counters, (Counters{11, 7, 4, 520, 6}));
    counters -= Counters{1, 1, 0, 20, 1};
    EXPECT_EQ(counters, (Counters{10, 6, 4, 500, 5}));
    counters -= Counters{100, 1, 0, 20, 1};
    EXPECT_EQ(counters.total_requests, 0);
    Counters full{INT64_MAX, 0, 0, 0, 0};
    full += Counters{1, 0, 0, 0, 0};
    EXPECT_EQ(full.total_requests, INT64_MAX);
}

TEST(Rank, HigherScoreThenFewerRequestsThenName) {
    std::vector<Rank> ranks = {
        {{9000}, 5, "d"}, {{9500}, 9, "c"}, {{9500}, 3, "b"}, {{9500}, 3, "a"}, {{10000}, 99, "e"}};
    std::sort(ranks.begin(), ranks.end(), Rank::Better);
    std::string order;
    for (const Rank& rank : ranks) order += rank.name;
    EXPECT_EQ(order, "eabcd");
    EXPECT_FALSE(Rank::Better(ranks[0], ranks[0]));
}

}  // namespace
}  // namespace aim::rating
