#include "core/security/sha256.hpp"

#include <memory>
#include <stdexcept>

#include <openssl/evp.h>

#include "core/base/ascii.hpp"

namespace aim::security {
namespace {

struct FreeDigest {
    void operator()(EVP_MD* digest) const { EVP_MD_free(digest); }
};
struct FreeDigestContext {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// Looked up once for a thread: OpenSSL's one-call function looks the algorithm up, under a lock,
// and allocates, every time (0.8 us where this takes 0.2).
struct Hasher {
    std::unique_ptr<EVP_MD, FreeDigest> algorithm{EVP_MD_fetch(nullptr, "SHA256", nullptr)};
    std::unique_ptr<EVP_MD_CTX, FreeDigestContext> context{EVP_MD_CTX_new()};
};

}  // namespace

Sha256Digest Sha256(std::string_view bytes) {
    thread_local const Hasher hasher;
    Sha256Digest digest;
    if (hasher.algorithm == nullptr || hasher.context == nullptr ||
        EVP_DigestInit_ex(hasher.context.get(), hasher.algorithm.get(), nullptr) != 1 ||
        EVP_DigestUpdate(hasher.context.get(), bytes.data(), bytes.size()) != 1 ||
        EVP_DigestFinal_ex(hasher.context.get(), digest.data(), nullptr) != 1) {
        throw std::runtime_error("OpenSSL cannot compute SHA-256");
    }
    return digest;
}

std::string ToHex(const Sha256Digest& digest) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    text.reserve(2 * digest.size());
    for (const std::uint8_t byte : digest) {
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

std::optional<Sha256Digest> ParseSha256(std::string_view hex) {
    Sha256Digest digest;
    if (hex.size() != 2 * digest.size()) return std::nullopt;
    for (std::size_t i = 0; i < digest.size(); ++i) {
        const int high = HexValue(hex[2 * i]);
        const int low = HexValue(hex[2 * i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        digest[i] = static_cast<std::uint8_t>(high << 4 | low);
    }
    return digest;
}

}  // namespace aim::security
