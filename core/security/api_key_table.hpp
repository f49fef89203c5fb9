#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.hpp"
#include "core/security/scope.hpp"
#include "core/security/sha256.hpp"

namespace aim::security {

// When a key was used last, in milliseconds since 1970; 0 = not yet. Shared by the tables that know
// the key, one after another. Thread-safe.
class ApiKeyUse {
  public:
    // To the second is enough, and spares the cache line that all loops share.
    void Note(WallTime now) {
        const std::int64_t time =
            std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
        const std::int64_t known = last_.load(std::memory_order_relaxed);
        if (time - known >= 1000 || time < known) last_.store(time, std::memory_order_relaxed);
    }
    std::int64_t last_ms() const { return last_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::int64_t> last_{0};
};

// One secret that a caller may present. A key that was rotated has two for a while.
struct ApiKeyEntry {
    std::string id;  // the key's, not the secret's
    Sha256Digest digest{};
    ScopeSet scopes = 0;
    std::optional<std::uint32_t> rate_limit_per_minute;  // 0 = none; empty = the default
    std::optional<WallTime> valid_until;
    std::shared_ptr<ApiKeyUse> use;  // never null
};

// The keys that are valid, by the SHA-256 of their secrets: one hash and one look-up for a request.
// Secrets are random or at least not short, so nobody gets from a hash to its key. Immutable.
class ApiKeyTable {
  public:
    explicit ApiKeyTable(std::vector<ApiKeyEntry> entries);

    // Null for an unknown secret. Whether an entry's time is over is for the caller to ask. What is
    // compared are digests, whole and in constant time.
    const ApiKeyEntry* Find(const Sha256Digest& digest) const;

    std::size_t size() const { return entries_.size(); }
    const std::vector<ApiKeyEntry>& entries() const { return entries_; }

  private:
    std::vector<ApiKeyEntry> entries_;
    // Open addressing, half empty: index + 1 into entries_, 0 = free. The beginning of a digest is
    // its hash.
    std::vector<std::uint32_t> slots_;
};

}  // namespace aim::security
