#include "core/security/random_bytes.hpp"

#include <stdexcept>

#include <openssl/rand.h>

#include "core/security/encoding.hpp"

namespace aim::security {

std::string RandomBytes(std::size_t count) {
    constexpr std::size_t kMost = 1 << 20;
    if (count > kMost) throw std::length_error("too many random bytes at once");
    std::string bytes(count, '\0');
    if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) != 1) {
        throw std::runtime_error("the random generator has failed");
    }
    return bytes;
}

std::string MakeApiKey() { return "aim_" + Base64UrlEncode(RandomBytes(32)); }

}  // namespace aim::security
