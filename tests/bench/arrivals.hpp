// When the requests of an open loop are meant to be sent: at a constant rate, whatever the server
// does. A latency that counts from here has the time that a request waited for a slow server
// before it.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace aim::bench {

class Arrivals {
  public:
    using Time = std::chrono::steady_clock::time_point;

    Arrivals() = default;
    Arrivals(Time start, double per_second, std::chrono::nanoseconds length)
        : start_(start),
          gap_ns_(1e9 / per_second),
          total_(static_cast<std::uint64_t>(static_cast<double>(length.count()) / gap_ns_)) {}

    std::uint64_t total() const { return total_; }
    Time At(std::uint64_t index) const {
        return start_ + std::chrono::nanoseconds(
                            static_cast<std::int64_t>(static_cast<double>(index) * gap_ns_));
    }
    // How many of them are meant to have been sent by then.
    std::uint64_t DueBy(Time now) const {
        if (now < start_) return 0;
        const auto passed = static_cast<double>((now - start_).count());
        return std::min(total_, static_cast<std::uint64_t>(passed / gap_ns_) + 1);
    }

  private:
    Time start_;
    double gap_ns_ = 1;
    std::uint64_t total_ = 0;
};

}  // namespace aim::bench
