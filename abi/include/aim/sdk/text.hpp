// What a plugin must know of a text before it passes it on as it came. A provider may send
// anything; the host counts a piece of JSON that is none against the plugin.
#ifndef AIM_SDK_TEXT_HPP
#define AIM_SDK_TEXT_HPP

#include <cstddef>
#include <string_view>

namespace aim::sdk {

// UTF-8 as Unicode defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
inline bool IsUtf8(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    for (std::size_t at = 0; at < text.size();) {
        const unsigned char first = byte(at);
        if (first < 0x80) {
            ++at;
            continue;
        }
        const std::size_t size = first >= 0xC2 && first <= 0xDF   ? 2
                                 : first >= 0xE0 && first <= 0xEF ? 3
                                 : first >= 0xF0 && first <= 0xF4 ? 4
                                                                  : 0;
        if (size == 0 || text.size() - at < size) {
            return false;
        }
        for (std::size_t i = 1; i < size; ++i) {
            if ((byte(at + i) & 0xC0) != 0x80) {
                return false;
            }
        }
        const unsigned char second = byte(at + 1);
        if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
            (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) {
            return false;
        }
        at += size;
    }
    return true;
}

// Of a text that JsonDocument has parsed: whether it can be passed on word for word, that is, it is
// UTF-8 and no escape stands for half of a surrogate pair (RapidJSON lets low halves pass).
inline bool IsPassableJson(std::string_view json) {
    const auto is_half = [&](std::size_t at, char low, char high) {
        const std::string_view escape = json.substr(at, 4);
        const char second = escape.size() == 4 ? static_cast<char>(escape[1] | 0x20) : '\0';
        if (escape.size() < 4 || (escape[0] | 0x20) != 'd') {
            return false;
        }
        return escape[1] >= '0' && escape[1] <= '9' ? escape[1] >= low && escape[1] <= high
                                                    : second >= low && second <= high;
    };
    for (std::size_t at = json.find('\\'); at != std::string_view::npos; at = json.find('\\', at)) {
        if (at + 1 >= json.size()) {
            return false;
        }
        if (json[at + 1] != 'u') {
            at += 2;
            continue;
        }
        const bool high = is_half(at + 2, '8', '9') || is_half(at + 2, 'a', 'b');
        const bool low = is_half(at + 2, 'c', 'f');
        if (low) {
            return false;
        }
        at += 6;
        if (high) {
            if (json.substr(at, 2) != "\\u" || !is_half(at + 2, 'c', 'f')) {
                return false;
            }
            at += 6;
        }
    }
    return IsUtf8(json);
}

}  // namespace aim::sdk

#endif  // AIM_SDK_TEXT_HPP
