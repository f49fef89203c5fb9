#include "core/plugin/call_timer.hpp"

#include <chrono>
#include <memory>
#include <thread>

#include <gtest/gtest.h>

#include "core/plugin/call_site.hpp"
#include "core/plugin/conduct.hpp"
#include "tests/support/fake_clock.hpp"

namespace aim::plugin {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class CallTimerTest : public ::testing::Test {
  protected:
    // A call that takes `took` on the wall, and in which the thread waits by itself when told so.
    CallVerdict Call(milliseconds took, bool waits = false) {
        CallTimer timer(&conduct_, clock_, 0);
        if (waits) std::this_thread::sleep_for(std::chrono::microseconds(100));
        clock_.Advance(took);
        return timer.Judge();
    }

    testing::FakeClock clock_;
    Conduct& conduct_ =
        Conduct::Make("slow", std::make_shared<ConductTotals>(), [](const Conduct::Report&) {});
};

TEST_F(CallTimerTest, SlowCallsAreCountedAndTheirPluginIsNotMeasuredForThem) {
    EXPECT_EQ(Call(milliseconds(4)), CallVerdict::kFine);
    EXPECT_EQ(Call(milliseconds(5)), CallVerdict::kSlow);
    EXPECT_EQ(Call(milliseconds(49), true), CallVerdict::kSlow);
    EXPECT_EQ(conduct_.figures().slow_calls, 2u);
    EXPECT_FALSE(conduct_.IsWatched(clock_.Now()));
}

TEST_F(CallTimerTest, FirstCallThatIsTooLongIsWatchedForAndTheNextConvicts) {
    EXPECT_EQ(Call(milliseconds(50), true), CallVerdict::kSlow);
    EXPECT_TRUE(conduct_.IsWatched(clock_.Now()));
    EXPECT_EQ(Call(milliseconds(50), true), CallVerdict::kBreach);
    EXPECT_EQ(conduct_.Describe(), "over_budget 1");
}

TEST_F(CallTimerTest, MachineThatStoodStillConvictsNobody) {
    EXPECT_EQ(Call(milliseconds(60)), CallVerdict::kSlow);
    EXPECT_EQ(Call(milliseconds(60)), CallVerdict::kSlow);
    EXPECT_EQ(conduct_.Describe(), "");
}

TEST_F(CallTimerTest, HopelessCallIsABreachWhoeverUsedTheTime) {
    EXPECT_EQ(Call(seconds(1)), CallVerdict::kBreach);
}

TEST_F(CallTimerTest, ThreadIsInThePluginWhileTheCallRuns) {
    CallTimer timer(&conduct_, clock_, 0);
    EXPECT_EQ(CallSite::OfThisThread().plugin(), &conduct_);
    EXPECT_EQ(timer.Judge(), CallVerdict::kFine);
    EXPECT_EQ(CallSite::OfThisThread().plugin(), nullptr);
}

TEST_F(CallTimerTest, WithoutAConductNothingIsCounted) {
    CallTimer timer(nullptr, clock_, 0);
    clock_.Advance(seconds(2));
    EXPECT_EQ(timer.Judge(), CallVerdict::kFine);
    EXPECT_EQ(timer.took(), seconds(2));
}

}  // namespace
}  // namespace aim::plugin
