#include "core/resilience/circuit_breaker.hpp"

#include <algorithm>

#include "core/resilience/outside_success.hpp"

namespace aim::resilience {
namespace {

CircuitBreaker::Options Sane(CircuitBreaker::Options options) {
    options.window_size =
        std::clamp<std::size_t>(options.window_size, 1, CircuitBreaker::kMaxWindow);
    options.window_minimum =
        std::clamp<std::size_t>(options.window_minimum, 1, options.window_size);
    options.consecutive_failures = std::max(options.consecutive_failures, 1);
    return options;
}

}  // namespace

CircuitBreaker::CircuitBreaker(const Options& options) : options_(Sane(options)) {}

BreakerState CircuitBreaker::state(MonotonicTime now) const {
    const std::int64_t until = open_until_.load(std::memory_order_acquire);
    if (until == 0) return BreakerState::kClosed;
    return ToNanos(now) < until ? BreakerState::kOpen : BreakerState::kHalfOpen;
}

bool CircuitBreaker::ProbeUnderWay(MonotonicTime now) const {
    return ToNanos(now) < probe_until_.load(std::memory_order_acquire);
}

bool CircuitBreaker::MayPass(MonotonicTime now) const {
    switch (state(now)) {
        case BreakerState::kClosed:
            return true;
        case BreakerState::kOpen:
            return false;
        case BreakerState::kHalfOpen:
            return !ProbeUnderWay(now);
    }
    return false;
}

MonotonicTime CircuitBreaker::open_until() const {
    return FromNanos(open_until_.load(std::memory_order_acquire));
}

CircuitBreaker::Permit CircuitBreaker::Acquire(MonotonicTime now) {
    if (state(now) == BreakerState::kClosed) return Permit::kNormal;
    const std::lock_guard lock(mutex_);
    switch (state(now)) {
        case BreakerState::kClosed:
            return Permit::kNormal;
        case BreakerState::kOpen:
            return Permit::kRefused;
        case BreakerState::kHalfOpen:
            break;
    }
    if (ProbeUnderWay(now)) return Permit::kRefused;
    probe_until_.store(ToNanos(now + options_.probe_lease), std::memory_order_release);
    return Permit::kProbe;
}

void CircuitBreaker::Record(Permit permit, Outcome outcome, MonotonicTime now) {
    if (permit == Permit::kRefused) return;
    const std::lock_guard lock(mutex_);
    if (permit == Permit::kProbe) probe_until_.store(0, std::memory_order_release);
    if (outcome == Outcome::kNeutral) return;

    const bool failed = outcome == Outcome::kFailure;
    if (failed) {
        last_failure_ = std::max(last_failure_, now);
    } else {
        last_success_ = std::max(last_success_.value_or(now), now);
    }
    if (state(now) == BreakerState::kClosed) {
        RecordWhileClosed(failed, now);
    } else if (!failed && permit != Permit::kNormal) {
        Close();
    } else if (failed && permit == Permit::kProbe) {
        Open(now, options_.next_open);
    }
}

void CircuitBreaker::RecordWhileClosed(bool failed, MonotonicTime now) {
    consecutive_ = failed ? consecutive_ + 1 : 0;
    Remember(failed, now);
    if (failed && (consecutive_ >= options_.consecutive_failures || WindowIsBad(now)))
        Open(now, options_.first_open);
}

void CircuitBreaker::NoteOutsideSuccess(WallTime success_at, WallTime wall_now, MonotonicTime now) {
    if (state(now) == BreakerState::kClosed) return;
    const std::lock_guard lock(mutex_);
    const auto placed = PlaceOutsideSuccess(success_at, wall_now, now, last_success_);
    if (placed && *placed > last_failure_) Close();
}

void CircuitBreaker::Close() {
    consecutive_ = 0;
    window_count_ = 0;
    window_next_ = 0;
    open_until_.store(0, std::memory_order_release);
    probe_until_.store(0, std::memory_order_release);
}

void CircuitBreaker::Open(MonotonicTime now, std::chrono::milliseconds duration) {
    open_until_.store(ToNanos(now + duration), std::memory_order_release);
}

void CircuitBreaker::Remember(bool failed, MonotonicTime now) {
    window_[window_next_] = Entry{now, failed};
    window_next_ = (window_next_ + 1) % options_.window_size;
    window_count_ = std::min(window_count_ + 1, options_.window_size);
}

bool CircuitBreaker::WindowIsBad(MonotonicTime now) const {
    std::size_t recent = 0;
    std::size_t failures = 0;
    for (std::size_t i = 0; i < window_count_; ++i) {
        if (now - window_[i].at > options_.window_time) continue;
        ++recent;
        failures += window_[i].failed ? 1 : 0;
    }
    return recent >= options_.window_minimum && 2 * failures >= recent;
}

}  // namespace aim::resilience
