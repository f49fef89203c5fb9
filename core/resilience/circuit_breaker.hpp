#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>

#include "core/base/clock.hpp"

namespace aim::resilience {

enum class BreakerState { kClosed, kOpen, kHalfOpen };

// Keeps requests away from a model that fails (design section 6). It opens after 5 consecutive
// counted failures, or when at least half of the last 20 outcomes within 60 s failed (judged from
// 10 outcomes on: fewer say too little about a rate). It stays open 15 s, after a failed probe 30
// s; then (half-open) it lets one attempt through at a time, whose success closes it. What attempts
// from before the opening still report changes nothing: in a crowd of them some succeed even when
// half fail. Time is an argument; times of one breaker may arrive slightly out of order.
// Thread-safe; state() takes no lock.
class CircuitBreaker {
  public:
    struct Options {
        int consecutive_failures = 5;
        std::size_t window_size = 20;  // at most kMaxWindow
        std::size_t window_minimum = 10;
        std::chrono::milliseconds window_time{60000};
        std::chrono::milliseconds first_open{15000};
        std::chrono::milliseconds next_open{30000};
        // A probe of which nothing is heard for so long does not block the next one: its attempt
        // was lost.
        std::chrono::milliseconds probe_lease{120000};
    };
    static constexpr std::size_t kMaxWindow = 32;

    // What Acquire() gave; handed back with the outcome.
    enum class Permit {
        kRefused,
        kNormal,  // the breaker was closed
        kProbe,   // the one attempt of the half-open state
        kForced,  // the caller goes on although it is refused, for every candidate is open; never
                  // returned by Acquire
    };
    enum class Outcome {
        kSuccess,
        kFailure,  // of the kinds that count (attempt_policy.hpp)
        kNeutral,  // says nothing: the caller's fault, cancelled, rate limited
    };

    CircuitBreaker() : CircuitBreaker(Options{}) {}
    explicit CircuitBreaker(const Options& options);

    // kHalfOpen as soon as the open time is over, even while its probe is under way.
    BreakerState state(MonotonicTime now) const;
    // Whether Acquire() would give a permit; takes nothing.
    bool MayPass(MonotonicTime now) const;
    // When the next probe may go; meaningless while closed.
    MonotonicTime open_until() const;

    // Each permit other than kRefused (kForced too) is to be followed by exactly one Record().
    Permit Acquire(MonotonicTime now);
    void Record(Permit permit, Outcome outcome, MonotonicTime now);

    // Somebody else (a replica, the health worker) had a success at that time, as the catalogue
    // shows it: closes the breaker when it is newer than the last failure seen here and is not one
    // of ours that came back (within a second of our last one). The wall time is compared through
    // its age at `wall_now`.
    void NoteOutsideSuccess(WallTime success_at, WallTime wall_now, MonotonicTime now);

  private:
    struct Entry {
        MonotonicTime at;
        bool failed;
    };

    void Close();
    void Open(MonotonicTime now, std::chrono::milliseconds duration);
    void RecordWhileClosed(bool failed, MonotonicTime now);
    void Remember(bool failed, MonotonicTime now);
    bool WindowIsBad(MonotonicTime now) const;
    bool ProbeUnderWay(MonotonicTime now) const;

    const Options options_;
    mutable std::mutex mutex_;
    // Monotonic nanoseconds; 0 while closed. Written under the mutex, read by anybody.
    std::atomic<std::int64_t> open_until_{0};
    std::atomic<std::int64_t> probe_until_{0};
    int consecutive_ = 0;
    MonotonicTime last_failure_{};
    std::optional<MonotonicTime> last_success_;
    std::array<Entry, kMaxWindow> window_{};
    std::size_t window_count_ = 0;
    std::size_t window_next_ = 0;
};

}  // namespace aim::resilience
