#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace aim::security {

// RFC 4648. Standard Base64 with padding, Base64url without; decoding is strict (alphabet, padding,
// no rests in the last character, no white space) and accepts Base64url with or without padding.
// nullopt for anything else.
std::string Base64Encode(std::string_view bytes);
std::optional<std::string> Base64Decode(std::string_view text);
std::string Base64UrlEncode(std::string_view bytes);
std::optional<std::string> Base64UrlDecode(std::string_view text);

// Lower case out, either case in.
std::string HexEncode(std::string_view bytes);
std::optional<std::string> HexDecode(std::string_view text);

}  // namespace aim::security
