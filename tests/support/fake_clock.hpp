#pragma once

#include <chrono>
#include <mutex>

#include "core/base/clock.hpp"

namespace aim::testing {

// A clock that stands still until the test moves it. Both times move together; SetWall makes the
// wall time jump. Thread-safe.
class FakeClock final : public Clock {
  public:
    // 2026-11-21T10:30:45.123Z unless told otherwise; monotonic time starts an hour after its
    // epoch.
    explicit FakeClock(WallTime wall = WallTime(std::chrono::microseconds(1795257045123000)))
        : monotonic_(std::chrono::hours(1)), wall_(wall) {}

    MonotonicTime Now() const override {
        const std::lock_guard lock(mutex_);
        return monotonic_;
    }
    WallTime WallNow() const override {
        const std::lock_guard lock(mutex_);
        return wall_;
    }

    void Advance(std::chrono::microseconds by) {
        const std::lock_guard lock(mutex_);
        monotonic_ += by;
        wall_ += by;
    }
    void SetWall(WallTime wall) {
        const std::lock_guard lock(mutex_);
        wall_ = wall;
    }

  private:
    mutable std::mutex mutex_;
    MonotonicTime monotonic_;
    WallTime wall_;
};

}  // namespace aim::testing
