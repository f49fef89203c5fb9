#include "core/runtime/loop_watchdog.hpp"

#include <atomic>
#include <functional>
#include <future>
#include <optional>
#include <utility>

#include <gtest/gtest.h>

#include "tests/bad_plugins/plugin_folder.hpp"

namespace aim::runtime {
namespace {

using plugin::CallSite;
using plugin::Conduct;
using plugin::testing::Eventually;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Two loops, of which the first is made to stand still. The limits are such that a machine with
// more to do than it can does not look like it.
class LoopWatchdogTest : public ::testing::Test {
  protected:
    LoopWatchdogTest() {
        watchdog_.Watch("first", loops_[0]);
        watchdog_.Watch("second", loops_[1]);
        loops_.Start();
        watchdog_.Start();
    }
    ~LoopWatchdogTest() override {
        Release();
        watchdog_.Stop();
        loops_.Stop();
    }

    // The first loop runs `before`, waits for Release(), and runs `after`.
    void Hold(std::function<void()> before, std::function<void()> after) {
        loops_[0].Post([this, before = std::move(before), after = std::move(after)] {
            before();
            gone_on_.wait();
            after();
        });
    }
    void Release() {
        if (!std::exchange(released_, true)) go_on_.set_value();
    }
    // What is said of the first loop; null when it runs.
    std::optional<LoopWatchdog::Stall> First() const {
        for (LoopWatchdog::Stall& stall : watchdog_.stalls()) {
            if (stall.loop == "first") return stall;
        }
        return std::nullopt;
    }

    plugin::testing::RecordingLogger log_;
    std::atomic<int> verdicts_{0};
    Conduct& conduct_ = Conduct::Make("groq", std::make_shared<plugin::ConductTotals>(),
                                      [this](const Conduct::Report& report) {
                                          if (report.kind == Conduct::Report::Kind::kQuarantined)
                                              ++verdicts_;
                                      });
    EngineLoops loops_{2};
    LoopWatchdog watchdog_{{milliseconds(50), milliseconds(1000), milliseconds(2000)}, log_};
    std::promise<void> go_on_;
    const std::future<void> gone_on_ = go_on_.get_future();
    bool released_ = false;
};

TEST_F(LoopWatchdogTest, NamesThePluginThatHoldsALoopAndCondemnsIt) {
    Hold([this] { CallSite::OfThisThread().Enter(&conduct_); },
         [] { CallSite::OfThisThread().Leave(); });
    ASSERT_TRUE(Eventually([&] { return First().has_value(); }, seconds(30)));
    EXPECT_EQ(First()->plugin, "groq");
    EXPECT_GE(First()->lasted, milliseconds(1000));
    EXPECT_GE(watchdog_.total(), 1u);
    EXPECT_GE(log_.Count("loop_stalled"), 1);
    ASSERT_TRUE(Eventually([&] { return conduct_.quarantined(); }, seconds(30)));
    EXPECT_TRUE(Eventually([&] { return First()->lasted >= milliseconds(2000); }, seconds(30)));

    Release();
    ASSERT_TRUE(Eventually([&] { return !First(); }, seconds(30)));
    EXPECT_TRUE(Eventually([&] { return log_.Count("loop_resumed") >= 1; }, seconds(30)));
    EXPECT_EQ(verdicts_, 1);
    EXPECT_TRUE(conduct_.quarantined()) << "that it came back is no excuse";
}

TEST_F(LoopWatchdogTest, BlamesNoPluginForALoopThatIsInNone) {
    Hold(
        [this] {
            CallSite::OfThisThread().Enter(&conduct_);
            CallSite::OfThisThread().Leave();
        },
        [] {});
    ASSERT_TRUE(Eventually(
        [&] { return First().has_value() && First()->lasted >= milliseconds(2500); }, seconds(30)));
    EXPECT_EQ(First()->plugin, "");
    EXPECT_FALSE(conduct_.quarantined());
    Release();
    EXPECT_TRUE(Eventually([&] { return !First(); }, seconds(30)));
}

TEST_F(LoopWatchdogTest, StopsWhileALoopStandsStill) {
    Hold([] {}, [] {});
    ASSERT_TRUE(Eventually([&] { return First().has_value(); }, seconds(30)));
    watchdog_.Stop();
    watchdog_.Stop();
    Release();
}

}  // namespace
}  // namespace aim::runtime
