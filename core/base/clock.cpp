#include "core/base/clock.hpp"

#include <ctime>

namespace aim {
namespace {

class OperatingSystemClock final : public Clock {
  public:
    MonotonicTime Now() const override { return std::chrono::steady_clock::now(); }
    WallTime WallNow() const override {
        return std::chrono::time_point_cast<std::chrono::microseconds>(
            std::chrono::system_clock::now());
    }
    WallTime RoughWallNow() const override {
        // The kernel's time of its last tick: nothing is measured for it.
        timespec time{};
        if (::clock_gettime(CLOCK_REALTIME_COARSE, &time) != 0) return WallNow();
        return WallTime(std::chrono::seconds(time.tv_sec) +
                        std::chrono::microseconds(time.tv_nsec / 1000));
    }
};

}  // namespace

const Clock& SystemClock() {
    static const OperatingSystemClock clock;
    return clock;
}

}  // namespace aim
