#include "core/base/clock.hpp"

#include <gtest/gtest.h>

namespace aim {
namespace {

using std::chrono::milliseconds;

// A tick of the kernel is 10 ms at most.
TEST(ClockTest, RoughTimeIsAtMostATickLate) {
    const WallTime before = SystemClock().WallNow();
    const WallTime rough = SystemClock().RoughWallNow();
    const WallTime after = SystemClock().WallNow();
    EXPECT_GT(rough, before - milliseconds(50));
    EXPECT_LE(rough, after);
}

}  // namespace
}  // namespace aim
