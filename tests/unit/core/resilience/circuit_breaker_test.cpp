#include "core/resilience/circuit_breaker.hpp"

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/fake_clock.hpp"

namespace aim::resilience {
namespace {

using namespace std::chrono_literals;
using Outcome = CircuitBreaker::Outcome;
using Permit = CircuitBreaker::Permit;

class CircuitBreakerTest : public ::testing::Test {
  protected:
    Permit Attempt(Outcome outcome) {
        const Permit permit = breaker_.Acquire(clock_.Now());
        breaker_.Record(permit, outcome, clock_.Now());
        return permit;
    }
    void Break() {
        for (int i = 0; i < 5; ++i) Attempt(Outcome::kFailure);
        ASSERT_EQ(State(), BreakerState::kOpen);
    }
    BreakerState State() const { return breaker_.state(clock_.Now()); }

    testing::FakeClock clock_;
    CircuitBreaker breaker_;
};

TEST_F(CircuitBreakerTest, OpensAfterFiveFailuresInARow) {
    for (int i = 0; i < 4; ++i) EXPECT_EQ(Attempt(Outcome::kFailure), Permit::kNormal);
    EXPECT_EQ(State(), BreakerState::kClosed);
    Attempt(Outcome::kFailure);
    EXPECT_EQ(State(), BreakerState::kOpen);
    EXPECT_EQ(Attempt(Outcome::kSuccess), Permit::kRefused);
    EXPECT_EQ(State(), BreakerState::kOpen);
}

TEST_F(CircuitBreakerTest, ASuccessBreaksTheRowANeutralOutcomeDoesNot) {
    for (int i = 0; i < 4; ++i) Attempt(Outcome::kFailure);
    Attempt(Outcome::kSuccess);
    for (int i = 0; i < 3; ++i) Attempt(Outcome::kFailure);
    EXPECT_EQ(State(), BreakerState::kClosed);
    Attempt(Outcome::kNeutral);
    Attempt(Outcome::kFailure);
    EXPECT_EQ(State(), BreakerState::kClosed);
    Attempt(Outcome::kFailure);
    EXPECT_EQ(State(), BreakerState::kOpen);
}

TEST_F(CircuitBreakerTest, OpensWhenHalfOfTheLastTwentyFailed) {
    for (int i = 0; i < 4; ++i) {
        Attempt(Outcome::kSuccess);
        Attempt(Outcome::kFailure);
    }
    Attempt(Outcome::kSuccess);
    EXPECT_EQ(State(), BreakerState::kClosed);  // nine outcomes say too little
    Attempt(Outcome::kFailure);
    EXPECT_EQ(State(), BreakerState::kOpen);
}

TEST_F(CircuitBreakerTest, LessThanHalfKeepsItClosed) {
    for (int i = 0; i < 300; ++i)
        Attempt(i % 5 == 1 || i % 5 == 3 ? Outcome::kFailure : Outcome::kSuccess);
    EXPECT_EQ(State(), BreakerState::kClosed);
}

TEST_F(CircuitBreakerTest, OldSuccessesLeaveTheWindow) {
    for (int i = 0; i < 20; ++i) Attempt(Outcome::kSuccess);
    // Four failures and one success a round: never five in a row. The last 20 hold ten failures in
    // the third round.
    int failures = 0;
    for (int round = 0; round < 10 && State() == BreakerState::kClosed; ++round) {
        for (int i = 0; i < 4 && State() == BreakerState::kClosed; ++i) {
            Attempt(Outcome::kFailure);
            ++failures;
        }
        if (State() == BreakerState::kClosed) Attempt(Outcome::kSuccess);
    }
    EXPECT_EQ(failures, 10);
}

TEST_F(CircuitBreakerTest, OutcomesOlderThanAMinuteDoNotCount) {
    for (int i = 0; i < 4; ++i) Attempt(Outcome::kFailure);
    Attempt(Outcome::kSuccess);
    for (int i = 0; i < 4; ++i) Attempt(Outcome::kFailure);
    clock_.Advance(61s);
    Attempt(Outcome::kSuccess);
    Attempt(Outcome::kFailure);
    EXPECT_EQ(State(), BreakerState::kClosed);  // with the old ones it would be 9 of 11
}

TEST_F(CircuitBreakerTest, LetsOneProbeThroughAfter15SecondsThenAfter30) {
    Break();
    clock_.Advance(14999ms);
    EXPECT_FALSE(breaker_.MayPass(clock_.Now()));
    EXPECT_EQ(breaker_.Acquire(clock_.Now()), Permit::kRefused);
    clock_.Advance(1ms);
    EXPECT_EQ(State(), BreakerState::kHalfOpen);
    EXPECT_TRUE(breaker_.MayPass(clock_.Now()));
    EXPECT_TRUE(breaker_.MayPass(clock_.Now()));  // asking takes nothing
    ASSERT_EQ(breaker_.Acquire(clock_.Now()), Permit::kProbe);
    EXPECT_FALSE(breaker_.MayPass(clock_.Now()));
    EXPECT_EQ(breaker_.Acquire(clock_.Now()), Permit::kRefused);

    breaker_.Record(Permit::kProbe, Outcome::kFailure, clock_.Now());
    EXPECT_EQ(State(), BreakerState::kOpen);
    clock_.Advance(29999ms);
    EXPECT_EQ(State(), BreakerState::kOpen);
    clock_.Advance(1ms);
    EXPECT_EQ(Attempt(Outcome::kSuccess), Permit::kProbe);
    EXPECT_EQ(State(), BreakerState::kClosed);
    // Everything starts anew: the next opening is a first one.
    Break();
    clock_.Advance(15s);
    EXPECT_EQ(State(), BreakerState::kHalfOpen);
}

TEST_F(CircuitBreakerTest, AProbeThatSaysNothingOrIsLostDoesNotBlockTheNext) {
    Break();
    clock_.Advance(15s);
    EXPECT_EQ(Attempt(Outcome::kNeutral), Permit::kProbe);
    EXPECT_EQ(State(), BreakerState::kHalfOpen);
    EXPECT_EQ(breaker_.Acquire(clock_.Now()), Permit::kProbe);
    clock_.Advance(119s);
    EXPECT_EQ(breaker_.Acquire(clock_.Now()), Permit::kRefused);
    clock_.Advance(1s);
    EXPECT_EQ(breaker_.Acquire(clock_.Now()), Permit::kProbe);
}

TEST_F(CircuitBreakerTest, AttemptsFromBeforeTheOpeningChangeNothing) {
    const Permit early = breaker_.Acquire(clock_.Now());
    Break();
    const MonotonicTime until = breaker_.open_until();
    clock_.Advance(1s);
    breaker_.Record(early, Outcome::kSuccess, clock_.Now());
    EXPECT_EQ(State(), BreakerState::kOpen);
    breaker_.Record(Permit::kNormal, Outcome::kFailure, clock_.Now());
    EXPECT_EQ(breaker_.open_until(), until);
}

TEST_F(CircuitBreakerTest, AForcedAttemptClosesItBySuccessOnly) {
    Break();
    const MonotonicTime until = breaker_.open_until();
    breaker_.Record(Permit::kForced, Outcome::kFailure, clock_.Now());
    EXPECT_EQ(breaker_.open_until(), until);
    breaker_.Record(Permit::kForced, Outcome::kSuccess, clock_.Now());
    EXPECT_EQ(State(), BreakerState::kClosed);
}

TEST_F(CircuitBreakerTest, ANewerSuccessElsewhereClosesIt) {
    Break();
    const WallTime failed_at = clock_.WallNow();
    clock_.Advance(2s);
    breaker_.NoteOutsideSuccess(failed_at - 1s, clock_.WallNow(), clock_.Now());
    EXPECT_EQ(State(), BreakerState::kOpen);
    breaker_.NoteOutsideSuccess(failed_at + 1s, clock_.WallNow(), clock_.Now());
    EXPECT_EQ(State(), BreakerState::kClosed);
    Break();
    breaker_.NoteOutsideSuccess(WallTime{}, clock_.WallNow(), clock_.Now());  // 1970
    EXPECT_EQ(State(), BreakerState::kOpen);
}

TEST_F(CircuitBreakerTest, OurOwnSuccessThatComesBackThroughTheCatalogueDoesNotCloseIt) {
    const Permit early = breaker_.Acquire(clock_.Now());
    Break();
    clock_.Advance(1s);
    breaker_.Record(early, Outcome::kSuccess, clock_.Now());
    const WallTime ours = clock_.WallNow();
    clock_.Advance(2s);
    breaker_.NoteOutsideSuccess(ours, clock_.WallNow(), clock_.Now());
    EXPECT_EQ(State(), BreakerState::kOpen);
    breaker_.NoteOutsideSuccess(ours + 1500ms, clock_.WallNow(), clock_.Now());
    EXPECT_EQ(State(), BreakerState::kClosed);
}

TEST_F(CircuitBreakerTest, OneProbeOnlyAmongThreads) {
    Break();
    clock_.Advance(15s);
    std::atomic<int> probes{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 1000; ++i)
                probes += breaker_.Acquire(clock_.Now()) == Permit::kProbe ? 1 : 0;
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(probes.load(), 1);
}

}  // namespace
}  // namespace aim::resilience
