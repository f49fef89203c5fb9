#include "core/resilience/backoff.hpp"

#include <climits>

#include <gtest/gtest.h>

namespace aim::resilience {
namespace {

using namespace std::chrono_literals;

class Fixed final : public Random {
  public:
    explicit Fixed(std::uint64_t value) : value_(value) {}
    std::uint64_t Next() override { return value_; }

  private:
    std::uint64_t value_;
};

TEST(Backoff, DoublesUpToTheCap) {
    Fixed zero(0);
    const BackoffOptions options{.initial = 1s, .factor = 2, .cap = 10s, .jitter = 0.5};
    EXPECT_EQ(BackoffDelay(options, 1, zero), 1s);
    EXPECT_EQ(BackoffDelay(options, 2, zero), 2s);
    EXPECT_EQ(BackoffDelay(options, 4, zero), 8s);
    EXPECT_EQ(BackoffDelay(options, 5, zero), 10s);
    EXPECT_EQ(BackoffDelay(options, INT_MAX, zero), 10s);
    EXPECT_EQ(BackoffDelay(options, 0, zero), 1s);
    EXPECT_EQ(BackoffDelay(options, INT_MIN + 1, zero), 1s);
}

TEST(Backoff, JitterTakesAwayAtMostItsShare) {
    Fixed most(UINT64_MAX);
    EXPECT_EQ(BackoffDelay({.initial = 1s, .factor = 2, .cap = 10s, .jitter = 0.0}, 2, most), 2s);
    const auto random = MakeSeededRandom(4);
    std::chrono::milliseconds least = 1h;
    std::chrono::milliseconds greatest = 0ms;
    for (int i = 0; i < 5000; ++i) {
        const auto delay =
            BackoffDelay({.initial = 1s, .factor = 2, .cap = 10s, .jitter = 0.5}, 2, *random);
        least = std::min(least, delay);
        greatest = std::max(greatest, delay);
    }
    EXPECT_GE(least, 1s);
    EXPECT_LT(least, 1010ms);
    EXPECT_LE(greatest, 2s);
    EXPECT_GT(greatest, 1990ms);
}

}  // namespace
}  // namespace aim::resilience
