#pragma once

#include <chrono>

namespace aim {

// Time for deadlines and durations: never jumps, means nothing outside this process.
using MonotonicTime = std::chrono::steady_clock::time_point;

// Time for people and for the database: UTC, microseconds, may jump.
using WallTime = std::chrono::sys_time<std::chrono::microseconds>;

// The source of time, injected so that tests own it (tests/support/fake_clock.hpp). Thread-safe.
class Clock {
  public:
    virtual ~Clock() = default;
    virtual MonotonicTime Now() const = 0;
    virtual WallTime WallNow() const = 0;
    // WallNow(), some milliseconds late at most, for a tenth of its price.
    virtual WallTime RoughWallNow() const { return WallNow(); }
};

// The operating system's clocks. Static storage; never null.
const Clock& SystemClock();

}  // namespace aim
