#pragma once

#include <string_view>

#include "core/base/secret_string.hpp"
#include "core/security/hmac.hpp"

namespace aim::security {

// Knows whether a presented key is the configured one, and keeps no copy of it: both are compared
// as HMACs under a key drawn at construction, in constant time, so neither length nor content of
// the right key leaks. Thread-safe.
class ApiKeyVerifier {
  public:
    // An empty key accepts nothing.
    explicit ApiKeyVerifier(const SecretString& key);

    bool Verify(std::string_view presented) const;

  private:
    HmacKey hmac_;
    HmacDigest expected_{};
    bool accepts_ = false;
};

}  // namespace aim::security
