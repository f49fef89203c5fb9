#include "core/base/clock.hpp"

namespace aim {
namespace {

class OperatingSystemClock final : public Clock {
  public:
    MonotonicTime Now() const override { return std::chrono::steady_clock::now(); }
    WallTime WallNow() const override {
        return std::chrono::time_point_cast<std::chrono::microseconds>(
            std::chrono::system_clock::now());
    }
};

}  // namespace

const Clock& SystemClock() {
    static const OperatingSystemClock clock;
    return clock;
}

}  // namespace aim
