#include "core/security/encoding.hpp"

#include <array>
#include <cstdint>

#include "core/base/ascii.hpp"

namespace aim::security {
namespace {

constexpr std::string_view kStandard =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlSafe =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::uint8_t kNotInAlphabet = 255;
using Inverse = std::array<std::uint8_t, 256>;

constexpr Inverse Invert(std::string_view alphabet) {
    Inverse inverse{};
    for (std::uint8_t& value : inverse) value = kNotInAlphabet;
    for (std::size_t i = 0; i < alphabet.size(); ++i) {
        inverse[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i);
    }
    return inverse;
}

constexpr Inverse kStandardInverse = Invert(kStandard);
constexpr Inverse kUrlSafeInverse = Invert(kUrlSafe);

std::string Encode(std::string_view bytes, std::string_view alphabet, bool pad) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : bytes) {
        bits = (bits << 8) | static_cast<std::uint8_t>(c);
        for (count += 8; count >= 6; count -= 6)
            text.push_back(alphabet[(bits >> (count - 6)) & 63]);
    }
    if (count > 0) text.push_back(alphabet[(bits << (6 - count)) & 63]);
    while (pad && text.size() % 4 != 0) text.push_back('=');
    return text;
}

// `text` without its padding.
std::optional<std::string> Decode(std::string_view text, const Inverse& inverse) {
    if (text.size() % 4 == 1) return std::nullopt;
    std::string bytes;
    bytes.reserve(text.size() / 4 * 3 + 2);
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        const std::uint8_t value = inverse[static_cast<std::uint8_t>(c)];
        if (value == kNotInAlphabet) return std::nullopt;
        bits = (bits << 6) | value;
        count += 6;
        if (count < 8) continue;
        count -= 8;
        bytes.push_back(static_cast<char>((bits >> count) & 255));
    }
    // Bits that belong to no byte must be zero, or several texts would mean the same bytes.
    if ((bits & ((1U << count) - 1)) != 0) return std::nullopt;
    return bytes;
}

std::string_view WithoutPadding(std::string_view text) {
    for (int i = 0; i < 2 && !text.empty() && text.back() == '='; ++i) text.remove_suffix(1);
    return text;
}

}  // namespace

std::string Base64Encode(std::string_view bytes) { return Encode(bytes, kStandard, true); }
std::string Base64UrlEncode(std::string_view bytes) { return Encode(bytes, kUrlSafe, false); }

std::optional<std::string> Base64Decode(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    return Decode(WithoutPadding(text), kStandardInverse);
}

std::optional<std::string> Base64UrlDecode(std::string_view text) {
    if (!text.empty() && text.back() == '=') {
        if (text.size() % 4 != 0) return std::nullopt;
        text = WithoutPadding(text);
    }
    return Decode(text, kUrlSafeInverse);
}

std::string HexEncode(std::string_view bytes) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    text.reserve(2 * bytes.size());
    for (const char c : bytes) {
        const auto byte = static_cast<std::uint8_t>(c);
        text.push_back(kDigits[byte >> 4]);
        text.push_back(kDigits[byte & 15]);
    }
    return text;
}

std::optional<std::string> HexDecode(std::string_view text) {
    if (text.size() % 2 != 0) return std::nullopt;
    std::string bytes;
    bytes.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = HexValue(text[i]);
        const int low = HexValue(text[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        bytes.push_back(static_cast<char>(high << 4 | low));
    }
    return bytes;
}

}  // namespace aim::security
