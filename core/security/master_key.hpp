#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/secret_string.hpp"

namespace aim::security {

// A key that encrypts other keys: AES-256-GCM (NIST SP 800-38D), a random nonce for each text.
// Immutable and thread-safe.
//
// A ciphertext is a byte with the version of this format (1), 12 bytes of nonce, the encrypted text
// and 16 bytes of tag. The associated data (a row's id) is bound into the tag, so a ciphertext that
// is moved to another row is refused.
class MasterKey {
  public:
    // From MASTER_KEY: Base64 of 32 bytes. The error does not repeat the text.
    static Result<MasterKey> Parse(std::string_view base64);

    // Names the key without telling anything of it: 16 hexadecimal digits.
    const std::string& id() const { return id_; }

    // Throws when OpenSSL cannot encrypt at all.
    std::string Encrypt(std::string_view text, std::string_view associated) const;

    // kForbidden when this is not the key, the text was changed or belongs to something else.
    Result<SecretString> Decrypt(std::string_view ciphertext, std::string_view associated) const;

  private:
    explicit MasterKey(SecretString bytes);

    SecretString bytes_;
    std::string id_;
};

// No ciphertext is shorter: version, nonce, tag, and a text of at least one byte.
inline constexpr std::size_t kShortestCiphertext = 1 + 12 + 16 + 1;

// The keys that a process may decrypt with: MASTER_KEY, and while keys are changed the previous one
// as well. Immutable and thread-safe.
class MasterKeyRing {
  public:
    // The current one first.
    void Add(MasterKey key) { keys_.push_back(std::move(key)); }

    bool empty() const { return keys_.empty(); }

    // `key_id` says which key a ciphertext was made with. Errors say what is wrong for an operator.
    Result<SecretString> Decrypt(std::string_view ciphertext, std::string_view key_id,
                                 std::string_view associated) const;

  private:
    std::vector<MasterKey> keys_;
};

}  // namespace aim::security
