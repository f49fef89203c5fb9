#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/secret_string.hpp"
#include "core/http/error_response.hpp"
#include "core/http/middleware.hpp"
#include "core/security/api_key_verifier.hpp"
#include "core/security/scope.hpp"

namespace aim::http {

// Says whose key a presented key is. Thread-safe; never waits.
class KeyVerifier {
  public:
    enum class Verdict { kValid, kInvalid, kCannotVerify };
    struct Answer {
        Verdict verdict = Verdict::kInvalid;
        // Of a valid key: a stable name that is not the key. Lives until this thread asks again.
        std::string_view key_id = {};
        security::ScopeSet scopes = security::kAllScopes;
        // The key's own limit: 0 = none; empty = the default.
        std::optional<std::uint32_t> rate_limit_per_minute = std::nullopt;
    };

    virtual ~KeyVerifier() = default;
    virtual Answer Verify(std::string_view presented) const = 0;
};

// Keys from the configuration: the bootstrap key, and those of our own processes.
class ConfiguredKeys final : public KeyVerifier {
  public:
    // Before the server starts. An empty key accepts nothing.
    void Add(std::string key_id, const SecretString& key);

    // Compares with every key, so that the time says nothing about which one matched.
    Answer Verify(std::string_view presented) const override;

  private:
    struct Entry {
        std::string key_id;
        security::ApiKeyVerifier verifier;
    };
    std::vector<Entry> keys_;
};

// Lets only callers with a key reach the routes that are not open: `X-API-Key: …` or
// `Authorization: Bearer …`; and of these only those whose key has the route's scope, 403. A path
// that does not exist needs no key to be told so. Thread-safe.
class AuthMiddleware final : public Middleware {
  public:
    explicit AuthMiddleware(std::shared_ptr<const KeyVerifier> verifier,
                            const Clock& clock = SystemClock())
        : verifier_(std::move(verifier)), errors_(clock) {}

    std::optional<Response> Before(Request& request, const Route* route) override;
    void After(const Request&, const Route*, Response&) override {}

  private:
    Response LacksScope(const Request& request, const Route& route) const;

    const std::shared_ptr<const KeyVerifier> verifier_;
    const ErrorWriter errors_;
};

// The key that a request presents; empty without one.
std::string_view PresentedKey(const Request& request);

}  // namespace aim::http
