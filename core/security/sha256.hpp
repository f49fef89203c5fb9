#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace aim::security {

// A SHA-256 (FIPS 180-4) of some bytes. A value; compares bytewise.
using Sha256Digest = std::array<std::uint8_t, 32>;

// Throws only when OpenSSL is broken. Thread-safe.
Sha256Digest Sha256(std::string_view bytes);

// 64 lower-case hexadecimal digits.
std::string ToHex(const Sha256Digest& digest);

// The inverse, digits of either case; nullopt for anything else.
std::optional<Sha256Digest> ParseSha256(std::string_view hex);

}  // namespace aim::security
