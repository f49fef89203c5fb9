#pragma once

#include <chrono>
#include <cstdint>

#include "core/base/clock.hpp"

namespace aim::health_worker {

// When rounds are due: on a grid that the first round fixes, one every `interval` from then on,
// however long a round takes or how late a timer fires. A grid moment that passes while a round
// runs is missed, not made up for: rounds neither overlap nor drift. One thread.
class RoundSchedule {
  public:
    // `interval` is at least a millisecond. The clock outlives the schedule.
    RoundSchedule(const Clock& clock, std::chrono::milliseconds interval)
        : clock_(clock), interval_(interval) {}

    // A round begins now. Returns how many grid moments have passed since the one before that had
    // no round.
    std::uint64_t Begin();

    // When the next round is due, as seen after a round: never in the past. Valid after the first
    // Begin().
    MonotonicTime Next() const;

  private:
    std::int64_t Passed(MonotonicTime now) const { return (now - first_) / interval_; }

    const Clock& clock_;
    const std::chrono::milliseconds interval_;
    MonotonicTime first_{};
    std::int64_t current_ = -1;  // grid moments from the first one to the newest round's
};

}  // namespace aim::health_worker
