#include "core/http/field_syntax.hpp"

#include <string>

#include <gtest/gtest.h>

namespace aim::http {
namespace {

TEST(FieldSyntax, ATokenHasOnlyItsCharacters) {
    constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
    EXPECT_FALSE(IsToken(""));
    for (int c = 0; c < 256; ++c) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        const bool wanted = letter || (c >= '0' && c <= '9') ||
                            (c != 0 && kOthers.find(static_cast<char>(c)) != kOthers.npos);
        const std::string one(1, static_cast<char>(c));
        EXPECT_EQ(IsToken(one), wanted) << c;
        EXPECT_EQ(IsToken("X-Request" + one + "Id"), wanted) << c;
    }
}

TEST(FieldSyntax, AValueHasNoControlCharacterButTheTab) {
    EXPECT_TRUE(IsFieldValue(""));
    for (int c = 0; c < 256; ++c) {
        const bool wanted = c == '\t' || (c >= 0x20 && c != 0x7f);
        for (std::size_t size = 1; size < 20; ++size) {
            std::string text(size, 'v');
            text[size / 2] = static_cast<char>(c);
            EXPECT_EQ(IsFieldValue(text), wanted) << c << " among " << size;
        }
    }
    EXPECT_FALSE(IsFieldValue("a\tb and then\r\nSet-Cookie: c"));
    EXPECT_TRUE(IsFieldValue("\ta\tb\xC3\xBC\t"));
}

}  // namespace
}  // namespace aim::http
