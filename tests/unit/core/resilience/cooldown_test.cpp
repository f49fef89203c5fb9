#include "core/resilience/cooldown.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>

#include <gtest/gtest.h>

#include "tests/support/fake_clock.hpp"

namespace aim::resilience {
namespace {

using namespace std::chrono_literals;

class CooldownTest : public ::testing::Test {
  protected:
    std::chrono::milliseconds CoolDown(
        std::optional<std::chrono::milliseconds> hint = std::nullopt) {
        return cooldown_.CoolDown(clock_.Now(), hint, *random_);
    }
    RestState State() const { return cooldown_.state(clock_.Now()); }

    testing::FakeClock clock_;
    std::unique_ptr<Random> random_ = MakeSeededRandom(1);
    Cooldown cooldown_;
};

TEST_F(CooldownTest, TheHintIsAFloorBetweenOneSecondAndFiveMinutes) {
    EXPECT_EQ(State(), RestState::kNone);
    EXPECT_EQ(CoolDown(30s), 30s);
    EXPECT_EQ(State(), RestState::kCoolingDown);
    clock_.Advance(30s - 1ms);
    EXPECT_EQ(cooldown_.Remaining(clock_.Now()), 1ms);
    clock_.Advance(1ms);
    EXPECT_EQ(State(), RestState::kNone);
    EXPECT_EQ(cooldown_.Remaining(clock_.Now()), 0ms);
    EXPECT_EQ(CoolDown(24h), 5min);
}

TEST_F(CooldownTest, AShortOrAbsurdHintGivesAtLeastASecond) {
    for (const auto hint : {0ms, 1ms, -5000ms}) {
        Cooldown cooldown;
        const auto rest = cooldown.CoolDown(clock_.Now(), hint, *random_);
        EXPECT_GE(rest, 1s);
        EXPECT_LE(rest, 2s);
    }
}

TEST_F(CooldownTest, TheOwnBackoffGrowsFromRestToRestUpToFiveMinutes) {
    std::chrono::milliseconds whole = 2s;
    for (int i = 0; i < 12; ++i) {
        const auto rest = CoolDown();
        EXPECT_GE(rest, whole / 2);
        EXPECT_LE(rest, whole);
        whole = std::min<std::chrono::milliseconds>(2 * whole, 5min);
        clock_.Advance(rest);
    }
}

TEST_F(CooldownTest, LimitsHitDuringARestAreTheSameBurst) {
    for (int i = 0; i < 50; ++i) EXPECT_LE(CoolDown(), 2s);
    // A longer hint still lengthens the rest, a shorter one never shortens it.
    EXPECT_EQ(CoolDown(60s), 60s);
    EXPECT_EQ(CoolDown(5s), 60s);
}

TEST_F(CooldownTest, ParkedForFiveMinutesOrUntilTheResetHint) {
    EXPECT_EQ(cooldown_.Park(clock_.Now(), std::nullopt), 5min);
    EXPECT_EQ(State(), RestState::kParked);
    EXPECT_EQ(CoolDown(1s), 5min);
    EXPECT_EQ(State(), RestState::kParked);
    Cooldown quota;
    EXPECT_EQ(quota.Park(clock_.Now(), 10h), 10h);
    Cooldown brief;
    EXPECT_EQ(brief.Park(clock_.Now(), 20s), 20s);
    Cooldown absurd;
    EXPECT_EQ(absurd.Park(clock_.Now(), std::chrono::hours(24 * 365 * 1000)), 24h);
}

TEST_F(CooldownTest, ASuccessOfALaterAttemptEndsTheRest) {
    const MonotonicTime before = clock_.Now();
    clock_.Advance(1s);
    CoolDown(60s);
    clock_.Advance(1s);
    cooldown_.NoteSuccess(before, clock_.Now());  // a stream that began before the limit was hit
    EXPECT_EQ(State(), RestState::kCoolingDown);
    cooldown_.NoteSuccess(clock_.Now(), clock_.Now());
    EXPECT_EQ(State(), RestState::kNone);
    clock_.Advance(1s);
    EXPECT_LE(CoolDown(), 2s);  // the backoff starts anew
}

TEST_F(CooldownTest, ANewerSuccessElsewhereEndsTheRest) {
    cooldown_.Park(clock_.Now(), std::nullopt);
    const WallTime parked_at = clock_.WallNow();
    clock_.Advance(10s);
    cooldown_.NoteOutsideSuccess(parked_at - 1s, clock_.WallNow(), clock_.Now());
    EXPECT_EQ(State(), RestState::kParked);
    cooldown_.NoteOutsideSuccess(parked_at + 5s, clock_.WallNow(), clock_.Now());
    EXPECT_EQ(State(), RestState::kNone);
}

TEST_F(CooldownTest, OurOwnOldStreamsSuccessDoesNotEndItByTheCatalogue) {
    const MonotonicTime before = clock_.Now();
    clock_.Advance(1s);
    CoolDown(60s);
    clock_.Advance(5s);
    cooldown_.NoteSuccess(before, clock_.Now());
    const WallTime ours = clock_.WallNow();
    clock_.Advance(2s);
    cooldown_.NoteOutsideSuccess(ours, clock_.WallNow(), clock_.Now());
    EXPECT_EQ(State(), RestState::kCoolingDown);
}

}  // namespace
}  // namespace aim::resilience
