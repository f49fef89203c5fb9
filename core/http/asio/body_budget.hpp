#pragma once

#include <atomic>
#include <cstddef>

#include "core/http/request.hpp"

namespace aim::http {

// What the large bodies of all requests under way may take together, in bytes, over all loops of a
// server. Any thread.
class BodyBudget {
  public:
    explicit BodyBudget(std::size_t bound) : bound_(bound) {}

    // False, and nothing is taken: they would pass the bound.
    bool Take(std::size_t bytes) {
        std::size_t taken = taken_.load(std::memory_order_relaxed);
        do {
            if (bytes > bound_ - taken) return false;
        } while (!taken_.compare_exchange_weak(taken, taken + bytes, std::memory_order_relaxed));
        return true;
    }
    void Give(std::size_t bytes) { taken_.fetch_sub(bytes, std::memory_order_relaxed); }

    std::size_t taken() const { return taken_.load(std::memory_order_relaxed); }

  private:
    const std::size_t bound_;
    std::atomic<std::size_t> taken_{0};
};

// What one request has taken of it, given back at its end. One thread; the budget outlives it.
class BodyShare {
  public:
    // Bodies up to this size are not counted: how many there can be is bounded by the connections.
    static constexpr std::size_t kSmallBody = Request::kKeptBody;

    explicit BodyShare(BodyBudget& budget) : budget_(budget) {}
    ~BodyShare() { Reset(); }
    BodyShare(const BodyShare&) = delete;
    BodyShare& operator=(const BodyShare&) = delete;

    // The body has grown to so many bytes. False: there is no room for them.
    bool Grow(std::size_t bytes) {
        if (bytes <= kSmallBody || bytes <= taken_) return true;
        if (!budget_.Take(bytes - taken_)) return false;
        taken_ = bytes;
        return true;
    }
    void Reset() {
        if (taken_ > 0) budget_.Give(taken_);
        taken_ = 0;
    }

  private:
    BodyBudget& budget_;
    std::size_t taken_ = 0;
};

}  // namespace aim::http
