#include "core/http/asio/body_budget.hpp"

#include <algorithm>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace aim::http {
namespace {

constexpr std::size_t kLarge = 2 * BodyShare::kSmallBody;

TEST(BodyBudget, GivesUpToItsBoundAndTakesBack) {
    BodyBudget budget(100);
    EXPECT_TRUE(budget.Take(60));
    EXPECT_FALSE(budget.Take(41));
    EXPECT_EQ(budget.taken(), 60u);
    EXPECT_TRUE(budget.Take(40));
    EXPECT_FALSE(budget.Take(1));
    budget.Give(100);
    EXPECT_EQ(budget.taken(), 0u);
    EXPECT_FALSE(budget.Take(std::size_t{0} - 1));
}

TEST(BodyShare, CountsLargeBodiesByTheirSize) {
    BodyBudget budget(kLarge + 10);
    {
        BodyShare share(budget);
        EXPECT_TRUE(share.Grow(BodyShare::kSmallBody));
        EXPECT_EQ(budget.taken(), 0u);
        EXPECT_TRUE(share.Grow(kLarge));
        EXPECT_TRUE(share.Grow(kLarge + 10));
        EXPECT_EQ(budget.taken(), kLarge + 10);
        EXPECT_FALSE(share.Grow(kLarge + 11));
        BodyShare other(budget);
        EXPECT_TRUE(other.Grow(BodyShare::kSmallBody));
        EXPECT_FALSE(other.Grow(BodyShare::kSmallBody + 1));
        share.Reset();
        EXPECT_EQ(budget.taken(), 0u);
        EXPECT_TRUE(other.Grow(kLarge));
    }
    EXPECT_EQ(budget.taken(), 0u);
}

TEST(BodyBudget, IsNeverPassedByThreads) {
    BodyBudget budget(3);
    std::atomic<int> inside{0};
    std::atomic<int> most{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 6; ++i) {
        threads.emplace_back([&] {
            for (int n = 0; n < 2000; ++n) {
                if (!budget.Take(1)) continue;
                const int now = ++inside;
                int seen = most;
                while (now > seen && !most.compare_exchange_weak(seen, now)) {
                }
                --inside;
                budget.Give(1);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_GE(most, 1);
    EXPECT_LE(most, 3);
    EXPECT_EQ(budget.taken(), 0u);
}

}  // namespace
}  // namespace aim::http
