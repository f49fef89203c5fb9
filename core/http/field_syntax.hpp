#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/word_scan.hpp"

namespace aim::http {

// What may stand in a header (RFC 9110, 5.1 and 5.5), for all who read and write messages.

inline constexpr std::array<bool, 256> kTokenCharacters = [] {
    std::array<bool, 256> table{};
    for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = true;
    for (int c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = true;
    for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = true;
    for (const char c : std::string_view("!#$%&'*+-.^_`|~"))
        table[static_cast<unsigned char>(c)] = true;
    return table;
}();

// A name, a method: at least one character.
inline bool IsToken(std::string_view text) {
    for (const char c : text) {
        if (!kTokenCharacters[static_cast<unsigned char>(c)]) return false;
    }
    return !text.empty();
}

// A value: no control character but the tab.
inline bool IsFieldValue(std::string_view text) {
    const bool control = AnyByte(text, [](std::uint64_t bytes) {
        return word::Below(bytes, ' ') | word::Equal(bytes, 0x7f);
    });
    if (!control) return true;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte != '\t' && (byte < 0x20 || byte == 0x7f)) return false;
    }
    return true;
}

}  // namespace aim::http
