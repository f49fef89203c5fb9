// Words as the mock counts its tokens.
#pragma once

#include <cstdint>
#include <string_view>

namespace aim::mock {

constexpr bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

constexpr std::int64_t CountWords(std::string_view text) {
    std::int64_t words = 0;
    bool inside = false;
    for (const char c : text) {
        words += !inside && !IsSpace(c) ? 1 : 0;
        inside = !IsSpace(c);
    }
    return words;
}

}  // namespace aim::mock
