#include "core/telemetry/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/telemetry/counter.hpp"

namespace aim::telemetry {

// A bucket's count, or (the last of a shard) the sum as the bits of a double. A shard's cells begin
// on a cache line.
struct Histogram::Cell {
    std::atomic<std::uint64_t> value{0};
};

namespace {

constexpr std::size_t kLine = 64;
constexpr std::size_t kCellsPerLine = kLine / sizeof(std::uint64_t);

std::vector<double> Ascending(std::vector<double> bounds) {
    std::sort(bounds.begin(), bounds.end());
    bounds.erase(std::unique(bounds.begin(), bounds.end()), bounds.end());
    return bounds;
}

}  // namespace

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(Ascending(std::move(bounds))),
      // One bucket more than bounds, and the sum; then a whole line of distance so that two shards
      // never share one.
      stride_((bounds_.size() + 2 + 2 * kCellsPerLine - 1) / kCellsPerLine * kCellsPerLine),
      cells_(new Cell[stride_ * kShardCount]) {}

Histogram::~Histogram() = default;

void Histogram::Observe(double value) {
    if (std::isnan(value)) return;
    Cell* const shard = cells_.get() + ShardOfThisThread() * stride_;
    const auto bucket = static_cast<std::size_t>(
        std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin());
    shard[bucket].value.fetch_add(1, std::memory_order_relaxed);
    // Threads rarely share a shard, so this nearly always succeeds at once.
    std::atomic<std::uint64_t>& sum = shard[bounds_.size() + 1].value;
    std::uint64_t seen = sum.load(std::memory_order_relaxed);
    while (!sum.compare_exchange_weak(
        seen, std::bit_cast<std::uint64_t>(std::bit_cast<double>(seen) + value),
        std::memory_order_relaxed)) {
    }
}

Histogram::Totals Histogram::Read() const {
    Totals totals;
    totals.buckets.resize(bounds_.size() + 1);
    for (std::size_t shard = 0; shard < kShardCount; ++shard) {
        const Cell* const cells = cells_.get() + shard * stride_;
        for (std::size_t i = 0; i < totals.buckets.size(); ++i) {
            totals.buckets[i] += cells[i].value.load(std::memory_order_relaxed);
        }
        totals.sum +=
            std::bit_cast<double>(cells[bounds_.size() + 1].value.load(std::memory_order_relaxed));
    }
    for (const std::uint64_t bucket : totals.buckets) totals.count += bucket;
    return totals;
}

}  // namespace aim::telemetry
