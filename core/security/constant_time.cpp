#include "core/security/constant_time.hpp"

#include <openssl/crypto.h>

namespace aim::security {

bool ConstantTimeEquals(std::string_view a, std::string_view b) {
    return a.size() == b.size() && (a.empty() || CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0);
}

}  // namespace aim::security
