#include "core/http/middleware/key_ring.hpp"

#include <utility>

#include "core/security/constant_time.hpp"

namespace aim::http {
namespace {

std::string_view BytesOf(const security::Sha256Digest& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// No two tables of a process have the same number, so that what a thread has kept is never taken
// for another ring's.
std::uint64_t NextVersion() {
    static std::atomic<std::uint64_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace

void KeyRing::AddConfigured(std::string key_id, const SecretString& key,
                            std::optional<std::uint32_t> rate_limit_per_minute) {
    if (key.empty()) return;
    configured_.push_back(
        {std::move(key_id), security::Sha256(key.Reveal()), rate_limit_per_minute});
}

void KeyRing::Publish(std::shared_ptr<const security::ApiKeyTable> table) {
    const std::lock_guard lock(mutex_);
    table_ = std::move(table);
    version_.store(NextVersion(), std::memory_order_release);
}

const security::ApiKeyTable* KeyRing::Table() const {
    struct Kept {
        std::uint64_t version = 0;
        std::shared_ptr<const security::ApiKeyTable> table;
    };
    thread_local Kept kept;
    const std::uint64_t version = version_.load(std::memory_order_acquire);
    if (version == 0) return nullptr;
    if (kept.version != version) {
        const std::lock_guard lock(mutex_);
        kept.table = table_;
        kept.version = version_.load(std::memory_order_relaxed);
    }
    return kept.table.get();
}

KeyVerifier::Answer KeyRing::Verify(std::string_view presented) const {
    const security::Sha256Digest digest = security::Sha256(presented);
    const Configured* match = nullptr;
    // All of them, so that the time says nothing about which one matched.
    for (const Configured& entry : configured_) {
        const bool same = security::ConstantTimeEquals(BytesOf(entry.digest), BytesOf(digest));
        if (same && match == nullptr) match = &entry;
    }
    if (match != nullptr)
        return {Verdict::kValid, match->key_id, security::kAllScopes, match->rate_limit_per_minute};
    const security::ApiKeyTable* table = Table();
    if (table == nullptr) return {Verdict::kCannotVerify};
    const security::ApiKeyEntry* entry = table->Find(digest);
    if (entry == nullptr) return {};
    const WallTime now = clock_.WallNow();
    if (entry->valid_until && *entry->valid_until <= now) return {};
    entry->use->Note(now);
    return {Verdict::kValid, entry->id, entry->scopes, entry->rate_limit_per_minute};
}

}  // namespace aim::http
