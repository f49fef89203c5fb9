#include "services/health_worker/round_schedule.hpp"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.hpp"

namespace aim::health_worker {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// A schedule of an hour; times are told from its first round.
class RoundScheduleTest : public ::testing::Test {
  protected:
    microseconds NextAfterStart() const {
        return std::chrono::duration_cast<microseconds>(schedule_.Next() - start_);
    }
    // The timer's part: wakes `late` after the moment that was asked for, or before it.
    void SleepUntilNext(microseconds late = microseconds(0)) {
        const auto wait = schedule_.Next() - clock_.Now();
        clock_.Advance(std::chrono::duration_cast<microseconds>(wait) + late);
    }

    aim::testing::FakeClock clock_;
    RoundSchedule schedule_{clock_, hours(1)};
    const MonotonicTime start_ = clock_.Now();
};

TEST_F(RoundScheduleTest, RoundsComeAnHourApartHoweverLongTheyTake) {
    EXPECT_EQ(schedule_.Begin(), 0U);
    for (int round = 1; round <= 5; ++round) {
        clock_.Advance(minutes(7 * round));
        EXPECT_EQ(NextAfterStart(), hours(round));
        SleepUntilNext();
        EXPECT_EQ(schedule_.Begin(), 0U);
    }
}

TEST_F(RoundScheduleTest, LateTimersDoNotMoveTheGrid) {
    schedule_.Begin();
    for (int round = 1; round <= 100; ++round) {
        SleepUntilNext(seconds(20));
        EXPECT_EQ(schedule_.Begin(), 0U);
        EXPECT_EQ(NextAfterStart(), hours(round + 1));
    }
}

TEST_F(RoundScheduleTest, ATimerThatFiresEarlyBeginsTheRoundThatItWasSetFor) {
    schedule_.Begin();
    SleepUntilNext(microseconds(-500));
    EXPECT_EQ(schedule_.Begin(), 0U);
    EXPECT_EQ(NextAfterStart(), hours(2));
}

TEST_F(RoundScheduleTest, WhatPassesDuringALongRoundIsMissedAndNotMadeUpFor) {
    schedule_.Begin();
    clock_.Advance(minutes(150));
    EXPECT_EQ(NextAfterStart(), hours(3));
    SleepUntilNext();
    EXPECT_EQ(schedule_.Begin(), 2U);
    EXPECT_EQ(NextAfterStart(), hours(4));
    SleepUntilNext();
    EXPECT_EQ(schedule_.Begin(), 0U);
}

TEST_F(RoundScheduleTest, ARoundThatEndsOnTheGridIsFollowedAtOnce) {
    schedule_.Begin();
    clock_.Advance(hours(1));
    EXPECT_EQ(NextAfterStart(), hours(1));
    EXPECT_EQ(schedule_.Begin(), 0U);
    clock_.Advance(hours(2));
    EXPECT_EQ(NextAfterStart(), hours(3));
    EXPECT_EQ(schedule_.Begin(), 1U);
}

TEST_F(RoundScheduleTest, AWakeThatIsHoursLateBeginsOneRound) {
    schedule_.Begin();
    SleepUntilNext(minutes(190));
    EXPECT_EQ(schedule_.Begin(), 3U);
    EXPECT_EQ(NextAfterStart(), hours(5));
}

TEST_F(RoundScheduleTest, TheWallClockHasNoPartInIt) {
    schedule_.Begin();
    clock_.SetWall(clock_.WallNow() + hours(24 * 365));
    EXPECT_EQ(NextAfterStart(), hours(1));
}

TEST_F(RoundScheduleTest, TheFirstRoundFixesTheGridAndNotTheConstruction) {
    clock_.Advance(minutes(42));  // no catalogue yet
    schedule_.Begin();
    EXPECT_EQ(NextAfterStart(), minutes(42) + hours(1));
}

TEST(RoundScheduleOfASecond, IsNeverInThePast) {
    aim::testing::FakeClock clock;
    RoundSchedule schedule(clock, seconds(1));
    schedule.Begin();
    for (int step = 1; step < 400; ++step) {
        clock.Advance(milliseconds(37 * step % 2600));
        const MonotonicTime next = schedule.Next();
        EXPECT_GE(next, clock.Now());
        EXPECT_LE(next - clock.Now(), seconds(1));
        clock.Advance(std::chrono::duration_cast<microseconds>(next - clock.Now()));
        schedule.Begin();
    }
}

}  // namespace
}  // namespace aim::health_worker
