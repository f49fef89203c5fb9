#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace aim::telemetry {

// How many cells a sharded metric has, and the calling thread's own: threads are spread over the
// cells in the order in which they first ask.
inline constexpr std::size_t kShardCount = 8;
std::size_t ShardOfThisThread();

// A count that only grows. A thread adds to its own cache line; the lines are summed when somebody
// reads. Thread-safe, lock-free.
class Counter {
  public:
    Counter() = default;
    Counter(const Counter&) = delete;
    Counter& operator=(const Counter&) = delete;

    void Increment(std::uint64_t by = 1) {
        cells_[ShardOfThisThread()].value.fetch_add(by, std::memory_order_relaxed);
    }

    std::uint64_t Value() const {
        std::uint64_t sum = 0;
        for (const Cell& cell : cells_) sum += cell.value.load(std::memory_order_relaxed);
        return sum;
    }

  private:
    struct alignas(64) Cell {
        std::atomic<std::uint64_t> value{0};
    };
    std::array<Cell, kShardCount> cells_;
};

}  // namespace aim::telemetry
