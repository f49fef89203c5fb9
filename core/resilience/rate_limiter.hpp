#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/base/clock.hpp"

namespace aim::resilience {

// What the limiter says about one request, with what the RateLimit-* and Retry-After headers need.
struct RateLimitDecision {
    bool allowed = true;
    std::uint32_t limit = 0;                   // 0: there is no limit, the rest means nothing
    std::uint32_t remaining = 0;               // requests that would pass right now
    std::chrono::milliseconds reset_after{0};  // until all of the limit is there again
    std::chrono::milliseconds retry_after{0};  // until the next one passes; 0 when allowed
};

// So many requests a period for each key, the limit being the burst too: GCRA (ITU-T I.371), one
// time stamp a key. The table of keys is bounded: full buckets go first, then the one that is
// nearest to full. Time is an argument. Thread-safe.
class RateLimiter {
  public:
    struct Options {
        std::uint32_t limit = 10;  // 0: everything passes
        std::chrono::milliseconds period{60000};
        std::size_t max_keys = 100000;  // spread over shards, each with at least one
    };

    explicit RateLimiter(const Options& options);

    RateLimitDecision Check(std::string_view key, MonotonicTime now) {
        return Check(key, now, limit_);
    }
    // With a limit of the key's own; 0: it passes. A change of it holds from the next request on.
    RateLimitDecision Check(std::string_view key, MonotonicTime now, std::uint32_t limit);

    std::size_t size() const;  // keys in the table

  private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view key) const {
            return std::hash<std::string_view>{}(key);
        }
    };
    // Theoretical arrival time: when the bucket is full again.
    using Table = std::unordered_map<std::string, MonotonicTime, Hash, std::equal_to<>>;
    struct alignas(64) Shard {
        mutable std::mutex mutex;
        Table table;
        std::size_t hand = 0;  // where the search for a bucket to evict goes on
    };

    static constexpr std::size_t kShards = 16;

    void MakeRoom(Shard& shard, MonotonicTime now) const;

    std::uint32_t limit_;
    MonotonicTime::duration period_;
    std::size_t keys_per_shard_;
    std::array<Shard, kShards> shards_;
};

}  // namespace aim::resilience
