#include "core/security/hmac.hpp"

#include <stdexcept>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

namespace aim::security {
namespace {

struct FreeMac {
    void operator()(EVP_MAC* mac) const { EVP_MAC_free(mac); }
};
struct FreeMacContext {
    void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};
using MacContext = std::unique_ptr<EVP_MAC_CTX, FreeMacContext>;

// Only a broken OpenSSL or exhausted memory comes here.
[[noreturn]] void ThrowBroken() { throw std::runtime_error("OpenSSL cannot compute HMAC-SHA256"); }

MacContext Keyed(std::string_view key) {
    const std::unique_ptr<EVP_MAC, FreeMac> mac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
    if (mac == nullptr) ThrowBroken();
    MacContext context(EVP_MAC_CTX_new(mac.get()));
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    // A null key would mean "the key from before".
    const auto* bytes = reinterpret_cast<const unsigned char*>(key.empty() ? "" : key.data());
    if (context == nullptr || EVP_MAC_init(context.get(), bytes, key.size(), parameters) != 1)
        ThrowBroken();
    return context;
}

}  // namespace

struct HmacKey::Context {
    MacContext prepared;
};

HmacKey::HmacKey(std::string_view key) : context_(std::make_unique<Context>(Context{Keyed(key)})) {}
HmacKey::~HmacKey() = default;
HmacKey::HmacKey(HmacKey&&) noexcept = default;
HmacKey& HmacKey::operator=(HmacKey&&) noexcept = default;

HmacDigest HmacKey::Sign(std::string_view message) const {
    const MacContext context(EVP_MAC_CTX_dup(context_->prepared.get()));
    HmacDigest digest;
    std::size_t size = 0;
    if (context == nullptr ||
        EVP_MAC_update(context.get(), reinterpret_cast<const unsigned char*>(message.data()),
                       message.size()) != 1 ||
        EVP_MAC_final(context.get(), digest.data(), &size, digest.size()) != 1) {
        ThrowBroken();
    }
    return digest;
}

HmacDigest HmacSha256(std::string_view key, std::string_view message) {
    return HmacKey(key).Sign(message);
}

}  // namespace aim::security
