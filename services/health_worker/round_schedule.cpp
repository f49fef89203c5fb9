#include "services/health_worker/round_schedule.hpp"

#include <algorithm>

namespace aim::health_worker {

std::uint64_t RoundSchedule::Begin() {
    const MonotonicTime now = clock_.Now();
    if (current_ < 0) {
        first_ = now;
        current_ = 0;
        return 0;
    }
    // A timer that fires a little early begins the round that it was set for.
    const std::int64_t next = std::max(current_ + 1, Passed(now));
    const std::int64_t missed = next - current_ - 1;
    current_ = next;
    return static_cast<std::uint64_t>(missed);
}

MonotonicTime RoundSchedule::Next() const {
    const MonotonicTime now = clock_.Now();
    MonotonicTime next = first_ + interval_ * std::max(current_ + 1, Passed(now));
    if (next < now) next += interval_;
    return next;
}

}  // namespace aim::health_worker
