#pragma once

#include <atomic>
#include <cstddef>

namespace aim::pipeline {

// Attempts that go on although their client has left (ON_DISCONNECT=drain): so many at once in the
// whole process, and none once it ends. Thread-safe.
class DrainRoom {
  public:
    // False: too many are inside, or the room is closed. True must be followed by Leave().
    bool TryEnter(std::size_t most) {
        if (closed()) return false;
        if (inside_.fetch_add(1, std::memory_order_relaxed) < most) return true;
        Leave();
        return false;
    }
    void Leave() { inside_.fetch_sub(1, std::memory_order_relaxed); }

    // The process ends: who is inside gives up soon, nobody comes in any more.
    void Close() { closed_.store(true, std::memory_order_relaxed); }
    bool closed() const { return closed_.load(std::memory_order_relaxed); }

    std::size_t inside() const { return inside_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::size_t> inside_{0};
    std::atomic<bool> closed_{false};
};

}  // namespace aim::pipeline
