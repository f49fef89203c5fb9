#pragma once

#include <optional>
#include <set>
#include <string_view>

#include "core/base/result.hpp"
#include "core/plugin/refusal.hpp"
#include "core/security/sha256.hpp"

namespace aim::plugin {

// Which files may run. Without a list every file may whose owner and mode are safe; with a list
// (PLUGIN_SHA256_ALLOW) only those whose hash is in it. A listed file may also use static TLS, as
// Go's runtime does. Immutable; thread-safe.
class TrustPolicy {
  public:
    TrustPolicy() = default;

    // Hashes as hexadecimal text, separated by commas, colons or spaces. Empty text means no list.
    // Fails, naming the word, when one is not a SHA-256.
    static Result<TrustPolicy> Parse(std::string_view list);

    std::optional<Refusal> Check(const security::Sha256Digest& hash) const;
    bool AllowsByName(const security::Sha256Digest& hash) const {
        return allowed_.count(hash) != 0;
    }
    bool strict() const { return !allowed_.empty(); }

  private:
    std::set<security::Sha256Digest> allowed_;
};

}  // namespace aim::plugin
