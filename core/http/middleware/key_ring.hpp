#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.hpp"
#include "core/base/secret_string.hpp"
#include "core/http/middleware/auth.hpp"
#include "core/security/api_key_table.hpp"

namespace aim::http {

// The keys of an API whose callers have keys of their own: some from the configuration (the
// bootstrap key, our own processes'), which are always known, and a table that somebody fetches and
// publishes again and again. A presented key is hashed once and looked up in an immutable table;
// no lock and no allocation but for the first request of a thread after a change. Thread-safe.
class KeyRing final : public KeyVerifier {
  public:
    explicit KeyRing(const Clock& clock = SystemClock()) : clock_(clock) {}

    // Before the server starts. All scopes. An empty key accepts nothing. `rate_limit_per_minute`:
    // 0 = none, empty = the default.
    void AddConfigured(std::string key_id, const SecretString& key,
                       std::optional<std::uint32_t> rate_limit_per_minute = std::nullopt);

    // Until the first table an unknown key cannot be verified; afterwards it is invalid.
    void Publish(std::shared_ptr<const security::ApiKeyTable> table);

    Answer Verify(std::string_view presented) const override;

  private:
    struct Configured {
        std::string key_id;
        security::Sha256Digest digest;
        std::optional<std::uint32_t> rate_limit_per_minute;
    };

    const security::ApiKeyTable* Table() const;

    const Clock& clock_;
    std::vector<Configured> configured_;
    std::atomic<std::uint64_t> version_{0};
    mutable std::mutex mutex_;
    std::shared_ptr<const security::ApiKeyTable> table_;  // guarded by mutex_
};

}  // namespace aim::http
