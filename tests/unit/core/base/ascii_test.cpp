#include "core/base/ascii.hpp"

#include <gtest/gtest.h>

namespace aim {
namespace {

TEST(Ascii, LowersItsOwnLettersAlone) {
    EXPECT_EQ(AsciiLowered("AZaz@[09_-"), "azaz@[09_-");
    EXPECT_EQ(AsciiLowered("\xC3\x84"), "\xC3\x84");  // Ä stays
    for (int c = 0; c < 256; ++c) {
        const char lowered = AsciiLower(static_cast<char>(c));
        const bool upper = c >= 'A' && c <= 'Z';
        EXPECT_EQ(lowered, static_cast<char>(upper ? c + 32 : c)) << c;
    }
}

TEST(Ascii, TrimsSpacesAndTabsAtBothEnds) {
    EXPECT_EQ(TrimBlanks(" \t a b \t"), "a b");
    EXPECT_EQ(TrimBlanks("ab"), "ab");
    EXPECT_EQ(TrimBlanks(" \t "), "");
    EXPECT_EQ(TrimBlanks(""), "");
    EXPECT_EQ(TrimBlanks("\r\na\n"), "\r\na\n");  // line ends are not blanks
}

TEST(Ascii, KnowsHexadecimalDigits) {
    const std::string_view digits = "0123456789abcdef";
    for (int c = 0; c < 256; ++c) {
        const std::size_t at = digits.find(AsciiLower(static_cast<char>(c)));
        const int expected = at == std::string_view::npos ? -1 : static_cast<int>(at);
        EXPECT_EQ(HexValue(static_cast<char>(c)), expected) << c;
    }
}

}  // namespace
}  // namespace aim
