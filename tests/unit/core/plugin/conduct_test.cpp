// The rules of quarantine and of call budgets, without a plugin.
#include "core/plugin/conduct.hpp"

#include <vector>

#include <gtest/gtest.h>

#include "core/plugin/call_budget.hpp"

namespace aim::plugin {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class ConductTest : public ::testing::Test {
  protected:
    std::size_t Told(Conduct::Report::Kind kind) const {
        std::size_t count = 0;
        for (const Conduct::Report& report : reports_) count += report.kind == kind;
        return count;
    }

    const MonotonicTime start_{std::chrono::hours(1)};
    std::shared_ptr<ConductTotals> totals_ = std::make_shared<ConductTotals>();
    std::vector<Conduct::Report> reports_;
    Conduct& conduct_ = Conduct::Make(
        "plugin", totals_, [this](const Conduct::Report& report) { reports_.push_back(report); });
};

TEST_F(ConductTest, FifthStrikeWithinTheWindowIsQuarantine) {
    for (int i = 0; i < 4; ++i) conduct_.Strike(start_ + minutes(i));
    EXPECT_FALSE(conduct_.quarantined());
    conduct_.Count(Misbehaviour::kException, "boom");
    conduct_.Strike(start_ + minutes(4));
    EXPECT_TRUE(conduct_.quarantined());
    conduct_.Strike(start_ + minutes(4));
    ASSERT_EQ(Told(Conduct::Report::Kind::kQuarantined), 1u);
    EXPECT_EQ(reports_.back().detail,
              "broke the rules in 5 sessions within ten minutes (exception 1)");
    EXPECT_EQ(conduct_.figures().strikes, 6u);
}

TEST_F(ConductTest, ACallThatDoesNotComeBackIsQuarantineAtOnce) {
    EXPECT_EQ(conduct_.plugin(), "plugin");
    conduct_.Condemn(seconds(6));
    conduct_.Condemn(seconds(7));
    EXPECT_TRUE(conduct_.quarantined());
    ASSERT_EQ(Told(Conduct::Report::Kind::kQuarantined), 1u);
    EXPECT_EQ(reports_.back().detail,
              "has held a thread for 6 s in one call, and has not come back");
    EXPECT_EQ(conduct_.figures().strikes, 0u);
    conduct_.Pardon();
    EXPECT_FALSE(conduct_.quarantined());
}

TEST_F(ConductTest, StrikesThatAreFarApartAreForgiven) {
    for (int i = 0; i < 50; ++i)
        conduct_.Strike(start_ + i * (seconds(Conduct::kWindow) / 4 + seconds(1)));
    EXPECT_FALSE(conduct_.quarantined());
    // The window is inclusive: five strikes, the last exactly ten minutes after the first.
    Conduct& other = Conduct::Make("other", totals_, [](const Conduct::Report&) {});
    for (int i = 0; i < 5; ++i) other.Strike(start_ + i * (seconds(Conduct::kWindow) / 4));
    EXPECT_TRUE(other.quarantined());
}

TEST_F(ConductTest, PardonForgetsStrikesAndKeepsCounts) {
    for (int i = 0; i < 5; ++i) conduct_.Strike(start_);
    conduct_.Count(Misbehaviour::kLateOutput, "late");
    conduct_.Pardon();
    EXPECT_FALSE(conduct_.quarantined());
    for (int i = 0; i < 4; ++i) conduct_.Strike(start_ + seconds(1));
    EXPECT_FALSE(conduct_.quarantined());
    conduct_.Strike(start_ + seconds(1));
    EXPECT_TRUE(conduct_.quarantined());
    EXPECT_EQ(Told(Conduct::Report::Kind::kQuarantined), 2u);
    EXPECT_EQ(conduct_.Describe(), "late_output 1");
}

TEST_F(ConductTest, EachKindIsToldOnceAndCountedAlways) {
    for (int i = 0; i < 3; ++i) {
        conduct_.Count(Misbehaviour::kException, "boom");
        conduct_.Count(Misbehaviour::kIllegalStep, "99");
    }
    EXPECT_EQ(Told(Conduct::Report::Kind::kFirstMisbehaviour), 2u);
    EXPECT_EQ(conduct_.Describe(), "exception 3, illegal_step 3");
    EXPECT_EQ(totals_->misbehaviours[static_cast<std::size_t>(Misbehaviour::kException)], 3u);
    EXPECT_EQ(conduct_.figures().strikes, 0u);
}

TEST_F(ConductTest, IsWatchedForAMinute) {
    EXPECT_FALSE(conduct_.IsWatched(start_));
    conduct_.Watch(start_);
    EXPECT_TRUE(conduct_.IsWatched(start_ + Conduct::kWatch - milliseconds(1)));
    EXPECT_FALSE(conduct_.IsWatched(start_ + Conduct::kWatch));
}

TEST_F(ConductTest, SlowCallIsToldOnceAndCountedAlways) {
    conduct_.CountSlowCall("7 ms");
    conduct_.CountSlowCall("8 ms");
    EXPECT_FALSE(conduct_.IsWatched(start_));
    EXPECT_EQ(Told(Conduct::Report::Kind::kFirstSlowCall), 1u);
    EXPECT_EQ(totals_->slow_calls, 2u);
}

TEST_F(ConductTest, SessionsAndTheirCallsAddUp) {
    conduct_.SessionBegins();
    conduct_.SessionBegins();
    conduct_.SessionEnds(3, microseconds(30), microseconds(20));
    conduct_.SessionBegins();
    conduct_.SessionEnds(2, microseconds(10), microseconds(9));
    const Conduct::Figures figures = conduct_.figures();
    EXPECT_EQ(figures.sessions, 3u);
    EXPECT_EQ(figures.open_sessions, 1);
    EXPECT_EQ(figures.calls, 5u);
    EXPECT_EQ(figures.call_time, microseconds(40));
    EXPECT_EQ(figures.longest_call, microseconds(20));
}

TEST(MisbehaviourTest, NamesAreAllThereAndDiffer) {
    std::vector<std::string_view> names;
    for (std::size_t i = 0; i < kMisbehaviourCount; ++i) {
        names.push_back(MisbehaviourName(static_cast<Misbehaviour>(i)));
        EXPECT_FALSE(names.back().empty());
        for (std::size_t j = 0; j < i; ++j) EXPECT_NE(names[j], names[i]);
    }
    EXPECT_EQ(names.back(), "foreign_thread");
}

TEST(CallBudgetTest, GrowsWithTheInput) {
    EXPECT_EQ(CallBudget::For(0).slow, milliseconds(5));
    EXPECT_EQ(CallBudget::For(65'535).breach, milliseconds(50));
    EXPECT_EQ(CallBudget::For(65'536).breach, milliseconds(100));
    EXPECT_EQ(CallBudget::For(10 * 65'536).hopeless, seconds(11));
}

TEST(CallBudgetTest, JudgesWhatThePluginDidAndNotWhatTheMachineDid) {
    const CallBudget budget = CallBudget::For(0);
    const ThreadUsage none{microseconds(1000), 7};
    const ThreadUsage computed{microseconds(51'000), 7};
    const ThreadUsage slept{microseconds(1000), 8};
    struct Case {
        microseconds took;
        std::optional<ThreadUsage> before, after;
        CallVerdict verdict;
    };
    const Case cases[] = {
        {milliseconds(4), none, computed, CallVerdict::kFine},
        {milliseconds(5), {}, {}, CallVerdict::kSlow},
        {milliseconds(49), none, computed, CallVerdict::kSlow},
        {milliseconds(60), {}, {}, CallVerdict::kSlow},  // not watched yet
        {milliseconds(60), none, computed, CallVerdict::kBreach},
        {milliseconds(60), none, slept, CallVerdict::kBreach},
        {milliseconds(999), none, none, CallVerdict::kSlow},  // was not scheduled
        {seconds(1), {}, {}, CallVerdict::kBreach},
        {seconds(1), none, none, CallVerdict::kBreach},
    };
    for (const Case& c : cases)
        EXPECT_EQ(JudgeCall(budget, c.took, c.before, c.after), c.verdict) << c.took.count();
}

TEST(CallBudgetTest, UsageOfThisThreadGrowsWithItsWork) {
    const ThreadUsage before = ThreadUsage::Now();
    const auto deadline = std::chrono::steady_clock::now() + seconds(20);
    ThreadUsage after = before;
    while (after.processor - before.processor < milliseconds(5) &&
           std::chrono::steady_clock::now() < deadline)
        after = ThreadUsage::Now();
    EXPECT_GE(after.processor - before.processor, milliseconds(5));
}

}  // namespace
}  // namespace aim::plugin
