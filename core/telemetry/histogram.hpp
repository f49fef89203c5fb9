#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace aim::telemetry {

// How observed values spread over fixed buckets. A thread counts in cells of its own, nothing
// locks. Thread-safe.
class Histogram {
  public:
    // `bounds`: upper bounds (inclusive), ascending; a last bucket without bound is added.
    explicit Histogram(std::vector<double> bounds);
    ~Histogram();
    Histogram(const Histogram&) = delete;
    Histogram& operator=(const Histogram&) = delete;

    void Observe(double value);  // NaN is ignored

    struct Totals {
        std::vector<std::uint64_t> buckets;  // not cumulative; one more than bounds
        std::uint64_t count = 0;             // always the sum of the buckets
        double sum = 0;
    };
    Totals Read() const;
    const std::vector<double>& bounds() const { return bounds_; }

  private:
    struct Cell;

    std::vector<double> bounds_;
    std::size_t stride_;  // cells of one shard, a whole number of cache lines
    std::unique_ptr<Cell[]> cells_;
};

}  // namespace aim::telemetry
