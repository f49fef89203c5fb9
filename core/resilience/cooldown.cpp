#include "core/resilience/cooldown.hpp"

#include <algorithm>

#include "core/resilience/outside_success.hpp"

namespace aim::resilience {
namespace {

using std::chrono::milliseconds;

// The first rest is 1 to 2 s, the n-th twice as long as the one before.
constexpr BackoffOptions kOwnBackoff{
    .initial = std::chrono::seconds(2), .factor = 2.0, .cap = Cooldown::kLongest, .jitter = 0.5};

}  // namespace

bool Cooldown::Resting(MonotonicTime now) const {
    return ToNanos(now) < until_.load(std::memory_order_relaxed);
}

milliseconds Cooldown::CoolDown(MonotonicTime now, std::optional<milliseconds> hint,
                                Random& random) {
    const std::lock_guard lock(mutex_);
    if (!Resting(now) || rests_in_a_row_ == 0) ++rests_in_a_row_;
    const milliseconds own = BackoffDelay(kOwnBackoff, rests_in_a_row_, random);
    return Rest(now, std::clamp(std::max(own, hint.value_or(milliseconds(0))), kShortest, kLongest),
                false);
}

milliseconds Cooldown::Park(MonotonicTime now, std::optional<milliseconds> hint) {
    const std::lock_guard lock(mutex_);
    return Rest(now, hint ? std::clamp(*hint, kShortest, kLongestParked) : kParked, true);
}

milliseconds Cooldown::Rest(MonotonicTime now, milliseconds duration, bool parked) {
    const std::int64_t until = ToNanos(now + duration);
    began_ = std::max(began_, now);
    if (until > until_.load(std::memory_order_relaxed)) {
        parked_.store(parked, std::memory_order_relaxed);
        until_.store(until, std::memory_order_release);
    }
    return Remaining(now);
}

void Cooldown::End() {
    until_.store(0, std::memory_order_release);
    rests_in_a_row_ = 0;
}

void Cooldown::NoteSuccess(MonotonicTime attempt_began, MonotonicTime now) {
    const std::lock_guard lock(mutex_);
    last_success_ = std::max(last_success_.value_or(now), now);
    if (rests_in_a_row_ == 0 && until_.load(std::memory_order_relaxed) == 0) return;
    if (attempt_began > began_) End();
}

void Cooldown::NoteOutsideSuccess(WallTime success_at, WallTime wall_now, MonotonicTime now) {
    if (until_.load(std::memory_order_acquire) == 0) return;
    const std::lock_guard lock(mutex_);
    const auto placed = PlaceOutsideSuccess(success_at, wall_now, now, last_success_);
    if (placed && *placed > began_) End();
}

RestState Cooldown::state(MonotonicTime now) const {
    if (ToNanos(now) >= until_.load(std::memory_order_acquire)) return RestState::kNone;
    return parked_.load(std::memory_order_relaxed) ? RestState::kParked : RestState::kCoolingDown;
}

milliseconds Cooldown::Remaining(MonotonicTime now) const {
    const std::int64_t left = until_.load(std::memory_order_acquire) - ToNanos(now);
    return left <= 0 ? milliseconds(0)
                     : std::chrono::ceil<milliseconds>(std::chrono::nanoseconds(left));
}

}  // namespace aim::resilience
