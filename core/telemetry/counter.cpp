#include "core/telemetry/counter.hpp"

namespace aim::telemetry {

std::size_t ShardOfThisThread() {
    static std::atomic<std::size_t> next{0};
    thread_local const std::size_t shard =
        next.fetch_add(1, std::memory_order_relaxed) % kShardCount;
    return shard;
}

}  // namespace aim::telemetry
