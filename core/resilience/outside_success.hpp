#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "core/base/clock.hpp"

namespace aim::resilience {

// When a success that is known by its wall time happened, in this process's monotonic time; nothing
// when it may be one of our own successes that came back through the catalogue. A time in the
// future (another machine's clock) counts as now.
inline std::optional<MonotonicTime> PlaceOutsideSuccess(
    WallTime success_at, WallTime wall_now, MonotonicTime now,
    std::optional<MonotonicTime> own_last_success) {
    constexpr std::chrono::seconds kSameSuccess{1};
    const WallTime::duration age = std::max(wall_now - success_at, WallTime::duration::zero());
    const MonotonicTime placed =
        now - std::min<WallTime::duration>(age, std::chrono::hours(24 * 365));
    if (own_last_success && placed <= *own_last_success + kSameSuccess) return std::nullopt;
    return placed;
}

// Atomics hold monotonic times as nanoseconds, 0 meaning "none".
inline std::int64_t ToNanos(MonotonicTime time) {
    const auto nanos =
        std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
    return std::max<std::int64_t>(nanos, 1);
}

inline MonotonicTime FromNanos(std::int64_t nanos) {
    return MonotonicTime(
        std::chrono::duration_cast<MonotonicTime::duration>(std::chrono::nanoseconds(nanos)));
}

}  // namespace aim::resilience
