#include "core/security/master_key.hpp"

#include <memory>
#include <stdexcept>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "core/security/encoding.hpp"
#include "core/security/hmac.hpp"
#include "core/security/random_bytes.hpp"

namespace aim::security {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;
constexpr char kVersion = 1;
// Far below OpenSSL's int lengths.
constexpr std::size_t kLongestText = 1u << 20;

struct FreeCipher {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

const unsigned char* Bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
int Size(std::string_view text) { return static_cast<int>(text.size()); }

Unexpected Refuse(std::string message) { return Fail(ErrorKind::kForbidden, std::move(message)); }

}  // namespace

MasterKey::MasterKey(SecretString bytes) : bytes_(std::move(bytes)) {
    const HmacDigest digest = HmacSha256(bytes_.Reveal(), "aimanager master key id");
    id_ = HexEncode({reinterpret_cast<const char*>(digest.data()), 8});
}

Result<MasterKey> MasterKey::Parse(std::string_view base64) {
    auto bytes = Base64Decode(base64);
    if (!bytes || bytes->size() != kKeyBytes) {
        if (bytes) OPENSSL_cleanse(bytes->data(), bytes->size());
        return FailField("MASTER_KEY", "must be Base64 of 32 bytes (openssl rand -base64 32)");
    }
    return MasterKey(SecretString(std::move(*bytes)));
}

std::string MasterKey::Encrypt(std::string_view text, std::string_view associated) const {
    if (text.size() > kLongestText) throw std::length_error("a text too long to encrypt");
    const std::string nonce = RandomBytes(kNonceBytes);
    std::string encrypted(text.size(), '\0');
    std::string tag(kTagBytes, '\0');
    int size = 0;
    const CipherContext context(EVP_CIPHER_CTX_new());
    const bool done =
        context != nullptr &&
        EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, Bytes(bytes_.Reveal()),
                           Bytes(nonce)) == 1 &&
        EVP_EncryptUpdate(context.get(), nullptr, &size, Bytes(associated), Size(associated)) ==
            1 &&
        EVP_EncryptUpdate(context.get(), Bytes(encrypted), &size, Bytes(text), Size(text)) == 1 &&
        EVP_EncryptFinal_ex(context.get(), nullptr, &size) == 1 &&
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, static_cast<int>(kTagBytes),
                            tag.data()) == 1;
    if (!done) throw std::runtime_error("OpenSSL cannot encrypt with AES-256-GCM");
    return std::string(1, kVersion).append(nonce).append(encrypted).append(tag);
}

Result<SecretString> MasterKey::Decrypt(std::string_view ciphertext,
                                        std::string_view associated) const {
    if (ciphertext.size() < kShortestCiphertext || ciphertext.size() > kLongestText ||
        ciphertext.front() != kVersion)
        return Refuse("the ciphertext is not in a form that this version knows");
    ciphertext.remove_prefix(1);
    const std::string_view nonce = ciphertext.substr(0, kNonceBytes);
    std::string tag(ciphertext.substr(ciphertext.size() - kTagBytes));
    const std::string_view encrypted =
        ciphertext.substr(kNonceBytes, ciphertext.size() - kNonceBytes - kTagBytes);
    std::string text(encrypted.size(), '\0');
    int size = 0;
    const CipherContext context(EVP_CIPHER_CTX_new());
    const bool done = context != nullptr &&
                      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr,
                                         Bytes(bytes_.Reveal()), Bytes(nonce)) == 1 &&
                      EVP_DecryptUpdate(context.get(), nullptr, &size, Bytes(associated),
                                        Size(associated)) == 1 &&
                      EVP_DecryptUpdate(context.get(), Bytes(text), &size, Bytes(encrypted),
                                        Size(encrypted)) == 1 &&
                      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG,
                                          static_cast<int>(kTagBytes), tag.data()) == 1 &&
                      EVP_DecryptFinal_ex(context.get(), nullptr, &size) == 1;
    if (!done) {
        OPENSSL_cleanse(text.data(), text.size());
        return Refuse("the ciphertext was changed, or is another row's");
    }
    return SecretString(std::move(text));
}

Result<SecretString> MasterKeyRing::Decrypt(std::string_view ciphertext, std::string_view key_id,
                                            std::string_view associated) const {
    if (keys_.empty()) return Refuse("MASTER_KEY is not set");
    for (const MasterKey& key : keys_) {
        if (key.id() == key_id) return key.Decrypt(ciphertext, associated);
    }
    std::string known;
    for (const MasterKey& key : keys_) known += (known.empty() ? "" : " and ") + key.id();
    return Refuse("it was encrypted under the master key " + std::string(key_id.substr(0, 64)) +
                  ", and the configured ones are " + known);
}

}  // namespace aim::security
