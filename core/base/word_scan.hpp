#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace aim {

// Looking at eight bytes of a text at once. A test takes a word and may look at its bytes in any
// order, and at some of them twice: it can say whether there is such a byte, not where.
namespace word {

inline constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
inline constexpr std::uint64_t kHighBits = 0x8080808080808080ULL;

inline std::uint64_t Load(const char* at) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    return word;
}

// One to seven bytes; the rest of the word are the same bytes again.
inline std::uint64_t LoadShort(const char* at, std::size_t size) {
    if (size >= 4) {
        std::uint32_t first;
        std::uint32_t last;
        std::memcpy(&first, at, sizeof first);
        std::memcpy(&last, at + size - 4, sizeof last);
        return first | static_cast<std::uint64_t>(last) << 32;
    }
    const auto byte = [at](std::size_t i) {
        return static_cast<std::uint64_t>(static_cast<unsigned char>(at[i]));
    };
    return byte(0) * (kOnes << 24 | 1) | byte(size / 2) << 8 | byte(size - 1) << 16;
}

// Each has a high bit set where it is so, and perhaps where it is not above such a byte: to be
// compared with zero after masking with kHighBits.
inline std::uint64_t Equal(std::uint64_t word, char byte) {
    const std::uint64_t difference = word ^ (kOnes * static_cast<unsigned char>(byte));
    return (difference - kOnes) & ~difference;
}
inline std::uint64_t Below(std::uint64_t word, char limit) {  // `limit` up to 0x80
    return (word - kOnes * static_cast<unsigned char>(limit)) & ~word;
}

}  // namespace word

// Whether `test` (a word in, the high bits of the bytes in question out) finds anything in `text`.
template <typename Test>
bool AnyByte(std::string_view text, Test test) {
    const char* at = text.data();
    const std::size_t size = text.size();
    if (size == 0) return false;
    if (size < 8) return (test(word::LoadShort(at, size)) & word::kHighBits) != 0;
    for (std::size_t i = 0; i + 8 < size; i += 8) {
        if ((test(word::Load(at + i)) & word::kHighBits) != 0) return true;
    }
    // The last eight, some of which may have been looked at already.
    return (test(word::Load(at + size - 8)) & word::kHighBits) != 0;
}

}  // namespace aim
