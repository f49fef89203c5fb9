#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

namespace aim::security {

using HmacDigest = std::array<std::uint8_t, 32>;

// HMAC-SHA256 (RFC 2104) with one key for many messages: the key is prepared once. Thread-safe;
// nothing is kept of a message.
class HmacKey {
  public:
    explicit HmacKey(std::string_view key);
    ~HmacKey();
    HmacKey(HmacKey&&) noexcept;
    HmacKey& operator=(HmacKey&&) noexcept;

    HmacDigest Sign(std::string_view message) const;

  private:
    struct Context;
    std::unique_ptr<Context> context_;
};

HmacDigest HmacSha256(std::string_view key, std::string_view message);

}  // namespace aim::security
