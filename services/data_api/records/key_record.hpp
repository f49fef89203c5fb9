#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.hpp"
#include "core/base/result.hpp"
#include "core/base/secret_string.hpp"
#include "core/base/uuid.hpp"
#include "core/json/value.hpp"
#include "core/json/writer.hpp"
#include "core/security/sha256.hpp"

namespace aim::data_api {

// A row of api_keys as people see it: no hash.
struct KeyRow {
    Uuid id;
    std::string name;
    std::string prefix;
    std::vector<std::string> scopes;
    std::optional<WallTime> expires_at;
    std::optional<std::int64_t> rate_limit_per_minute;
    std::optional<WallTime> previous_valid_until;
    std::optional<WallTime> last_used_at;
    std::optional<WallTime> created_at;
    std::optional<WallTime> rotated_at;
    std::optional<WallTime> revoked_at;
};

// What a gateway needs to check one presented secret.
struct KeyHashRow {
    Uuid id;
    std::string hash;  // 64 hexadecimal digits
    std::vector<std::string> scopes;
    std::optional<WallTime> valid_until;
    std::optional<std::int64_t> rate_limit_per_minute;
};

// The secret of a new or rotated key: the caller's own, or one made here, which is told once.
struct KeySecret {
    SecretString text;
    bool made_here = false;

    security::Sha256Digest digest() const { return security::Sha256(text.Reveal()); }
    // The first characters, by which people tell keys apart; too few to guess the rest.
    std::string prefix() const;
};

struct NewKey {
    std::string name;
    std::vector<std::string> scopes;
    std::optional<WallTime> expires_at;
    std::optional<std::int64_t> rate_limit_per_minute;
    KeySecret secret;
};

struct KeyRotation {
    std::chrono::milliseconds grace{0};
    KeySecret secret;
};

struct KeyUseRecord {
    Uuid id;
    WallTime last_used_at{};
};

inline constexpr std::size_t kMostKeyUses = 1000;

// The bodies of POST /keys, /keys/{id}/rotate and /keys/last-used. Every error names its field;
// none repeats a secret.
Result<NewKey> ReadNewKey(json::Value body, WallTime now);
Result<KeyRotation> ReadKeyRotation(json::Value body);
Result<std::vector<KeyUseRecord>> ReadKeyUses(json::Value body);

// `secret`: shown when it was made here.
void WriteKey(json::Writer& writer, const KeyRow& row, const KeySecret* secret = nullptr);
void WriteKeyHash(json::Writer& writer, const KeyHashRow& row);

}  // namespace aim::data_api
