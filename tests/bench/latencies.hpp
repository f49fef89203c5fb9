// How long things took, kept one by one, so that a percentile is exact.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace aim::bench {

class Latencies {
  public:
    // Kept to a tenth of a microsecond; a negative time counts as none, one over 400 s as that.
    void Add(std::chrono::nanoseconds time);
    // To be called once, before anything below is asked.
    void Sort();

    std::size_t size() const { return tenths_.size(); }
    // The smallest time that `part` (0 to 1) of all did not exceed (nearest rank); 0 when empty.
    double Microseconds(double part) const;
    double MeanMicroseconds() const;
    // [[percentile, microseconds], …] from 0 to 100, denser towards the end, for a plot.
    std::string CurveJson() const;

  private:
    std::vector<std::uint32_t> tenths_;
};

}  // namespace aim::bench
