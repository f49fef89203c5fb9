#include "core/resilience/rate_limiter.hpp"

#include <algorithm>

namespace aim::resilience {
namespace {

// How many places of a full table are looked at for one that may go.
constexpr std::size_t kEvictionSearch = 32;

std::chrono::milliseconds RoundUp(MonotonicTime::duration duration) {
    return std::max(std::chrono::ceil<std::chrono::milliseconds>(duration),
                    std::chrono::milliseconds(0));
}

}  // namespace

RateLimiter::RateLimiter(const Options& options)
    : limit_(options.limit),
      period_(options.period),
      keys_per_shard_(std::max<std::size_t>(options.max_keys / kShards, 1)) {}

RateLimitDecision RateLimiter::Check(std::string_view key, MonotonicTime now, std::uint32_t limit) {
    RateLimitDecision decision;
    decision.limit = limit;
    if (limit == 0) return decision;
    // Between two requests at the permitted rate.
    const MonotonicTime::duration interval = std::max(period_ / limit, MonotonicTime::duration(1));
    const MonotonicTime::duration burst = interval * limit;

    Shard& shard = shards_[(Hash{}(key) >> 7) % kShards];
    const std::lock_guard lock(shard.mutex);
    auto entry = shard.table.find(key);
    if (entry == shard.table.end()) {
        if (shard.table.size() >= keys_per_shard_) MakeRoom(shard, now);
        entry = shard.table.emplace(std::string(key), now).first;
    }
    MonotonicTime full_at = std::max(entry->second, now);
    if (full_at + interval - now <= burst) {
        full_at += interval;
        entry->second = full_at;
    } else {
        decision.allowed = false;
        decision.retry_after = RoundUp(full_at + interval - burst - now);
    }
    // Further off than the burst when the limit has just been lowered.
    decision.remaining = static_cast<std::uint32_t>(
        std::max(burst - (full_at - now), MonotonicTime::duration(0)) / interval);
    decision.reset_after = RoundUp(full_at - now);
    return decision;
}

void RateLimiter::MakeRoom(Shard& shard, MonotonicTime now) const {
    Table& table = shard.table;
    auto nearest_to_full = table.end();
    std::size_t seen = 0;
    bool freed = false;
    for (std::size_t steps = 0; steps < table.bucket_count() && seen < kEvictionSearch; ++steps) {
        shard.hand = (shard.hand + 1) % table.bucket_count();
        for (auto place = table.begin(shard.hand); place != table.end(shard.hand);) {
            ++seen;
            const auto entry = table.find(place->first);
            ++place;
            if (entry->second <= now) {
                table.erase(entry);
                freed = true;
            } else if (nearest_to_full == table.end() || entry->second < nearest_to_full->second) {
                nearest_to_full = entry;
            }
        }
    }
    if (!freed && nearest_to_full != table.end()) table.erase(nearest_to_full);
}

std::size_t RateLimiter::size() const {
    std::size_t keys = 0;
    for (const Shard& shard : shards_) {
        const std::lock_guard lock(shard.mutex);
        keys += shard.table.size();
    }
    return keys;
}

}  // namespace aim::resilience
