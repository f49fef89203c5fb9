#include "core/resilience/rate_limiter.hpp"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/random.hpp"
#include "tests/support/fake_clock.hpp"

namespace aim::resilience {
namespace {

using namespace std::chrono_literals;

TEST(RateLimiter, TenAtOncePassTheEleventhWaits) {
    testing::FakeClock clock;
    RateLimiter limiter({.limit = 10});
    for (std::uint32_t i = 0; i < 10; ++i) {
        const RateLimitDecision decision = limiter.Check("key", clock.Now());
        EXPECT_TRUE(decision.allowed);
        EXPECT_EQ(decision.limit, 10u);
        EXPECT_EQ(decision.remaining, 9 - i);
        EXPECT_EQ(decision.reset_after, 6s * (i + 1));
        EXPECT_EQ(decision.retry_after, 0ms);
    }
    const RateLimitDecision refused = limiter.Check("key", clock.Now());
    EXPECT_FALSE(refused.allowed);
    EXPECT_EQ(refused.remaining, 0u);
    EXPECT_EQ(refused.retry_after, 6s);
    EXPECT_EQ(refused.reset_after, 60s);
    EXPECT_TRUE(limiter.Check("another", clock.Now()).allowed);
}

TEST(RateLimiter, RefusalsCostNothingAndTheLimitComesBackEvenly) {
    testing::FakeClock clock;
    RateLimiter limiter({.limit = 10});
    for (int i = 0; i < 10; ++i) limiter.Check("key", clock.Now());
    for (int i = 0; i < 100; ++i) EXPECT_FALSE(limiter.Check("key", clock.Now()).allowed);
    clock.Advance(6s - 1ms);
    EXPECT_EQ(limiter.Check("key", clock.Now()).retry_after, 1ms);
    clock.Advance(1ms);
    EXPECT_TRUE(limiter.Check("key", clock.Now()).allowed);
    EXPECT_FALSE(limiter.Check("key", clock.Now()).allowed);
    clock.Advance(60s);
    EXPECT_EQ(limiter.Check("key", clock.Now()).remaining, 9u);
    clock.Advance(24h);
    EXPECT_EQ(limiter.Check("key", clock.Now()).remaining,
              9u);  // more than the limit is never saved up
}

TEST(RateLimiter, NeverMoreThanLimitPlusRateInAnyStretch) {
    testing::FakeClock clock;
    RateLimiter limiter({.limit = 7, .period = 60s});
    const auto random = MakeSeededRandom(8);
    std::vector<MonotonicTime> passed;
    for (int i = 0; i < 20000; ++i) {
        clock.Advance(std::chrono::milliseconds(random->Next() % 2000));
        if (limiter.Check("key", clock.Now()).allowed) passed.push_back(clock.Now());
    }
    ASSERT_GT(passed.size(), 1000u);
    for (std::size_t i = 0; i + 14 < passed.size(); ++i)
        EXPECT_GE(passed[i + 14] - passed[i], 60s - 10us);
}

TEST(RateLimiter, ZeroMeansNoLimit) {
    RateLimiter limiter({.limit = 0});
    for (int i = 0; i < 1000; ++i) EXPECT_TRUE(limiter.Check("key", MonotonicTime{}).allowed);
    EXPECT_EQ(limiter.Check("key", MonotonicTime{}).limit, 0u);
    EXPECT_EQ(limiter.size(), 0u);
}

TEST(RateLimiter, TheTableIsBoundedAndForgetsFullBucketsFirst) {
    testing::FakeClock clock;
    RateLimiter limiter({.limit = 10, .period = 60s, .max_keys = 1600});
    for (int i = 0; i < 20000; ++i) {
        EXPECT_TRUE(limiter.Check("old" + std::to_string(i), clock.Now()).allowed);
        EXPECT_LE(limiter.size(), 1600u);
    }
    clock.Advance(7s);  // all of them are full again
    std::vector<std::string> exhausted;
    for (int i = 0; i < 50; ++i) {
        exhausted.push_back("busy" + std::to_string(i));
        for (int k = 0; k < 10; ++k) limiter.Check(exhausted.back(), clock.Now());
    }
    for (int i = 0; i < 1000; ++i) limiter.Check("new" + std::to_string(i), clock.Now());
    for (const std::string& key : exhausted)
        EXPECT_FALSE(limiter.Check(key, clock.Now()).allowed) << key;
}

TEST(RateLimiter, ThreadsShareOneLimit) {
    testing::FakeClock clock;
    RateLimiter limiter({.limit = 100});
    std::atomic<int> passed{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 500; ++i) {
                passed += limiter.Check("key", clock.Now()).allowed ? 1 : 0;
                limiter.Check(std::to_string(t * 1000 + i), clock.Now());
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(passed.load(), 100);
}

}  // namespace
}  // namespace aim::resilience
