#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace aim::json {

// ASCII that stands for itself in a JSON string: no control character, quote or backslash.
inline bool IsPlain(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

// The first position from `position` on whose byte is not plain; text.size() when all are. Eight
// bytes a step.
inline std::size_t EndOfPlainRun(std::string_view text, std::size_t position) {
    constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
    constexpr std::uint64_t kHighBits = 0x8080808080808080ULL;
    while (position + 8 <= text.size()) {
        std::uint64_t word;
        std::memcpy(&word, text.data() + position, sizeof word);
        const std::uint64_t quote = word ^ (kOnes * '"');
        const std::uint64_t backslash = word ^ (kOnes * '\\');
        const std::uint64_t hits = ((quote - kOnes) & ~quote) | ((backslash - kOnes) & ~backslash) |
                                   ((word - kOnes * 0x20) & ~word) | word;
        if ((hits & kHighBits) != 0) break;
        position += 8;
    }
    while (position < text.size() && IsPlain(text[position])) ++position;
    return position;
}

}  // namespace aim::json
