#include "core/security/api_key_verifier.hpp"

#include "core/security/constant_time.hpp"
#include "core/security/random_bytes.hpp"

namespace aim::security {
namespace {

std::string_view BytesOfHmac(const HmacDigest& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace

ApiKeyVerifier::ApiKeyVerifier(const SecretString& key)
    : hmac_(RandomBytes(32)), expected_(hmac_.Sign(key.Reveal())), accepts_(!key.empty()) {}

bool ApiKeyVerifier::Verify(std::string_view presented) const {
    // The comparison runs for an unset key too: whether one is set does not show in the time.
    const bool same =
        ConstantTimeEquals(BytesOfHmac(hmac_.Sign(presented)), BytesOfHmac(expected_));
    return same && accepts_;
}

}  // namespace aim::security
