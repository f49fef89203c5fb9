#include "core/security/encoding.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace aim::security {
namespace {

TEST(Base64, PublishedVectors) {  // RFC 4648, section 10
    const std::vector<std::pair<std::string, std::string>> vectors = {{"", ""},
                                                                      {"f", "Zg=="},
                                                                      {"fo", "Zm8="},
                                                                      {"foo", "Zm9v"},
                                                                      {"foob", "Zm9vYg=="},
                                                                      {"fooba", "Zm9vYmE="},
                                                                      {"foobar", "Zm9vYmFy"}};
    for (const auto& [bytes, text] : vectors) {
        EXPECT_EQ(Base64Encode(bytes), text);
        EXPECT_EQ(Base64Decode(text), bytes);
        EXPECT_EQ(Base64UrlDecode(text), bytes);
        EXPECT_EQ(Base64UrlDecode(Base64UrlEncode(bytes)), bytes);
    }
    EXPECT_EQ(Base64Encode("\xfb\xff\xfe"), "+//+");
    EXPECT_EQ(Base64UrlEncode("\xfb\xff\xfe"), "-__-");
    EXPECT_EQ(Base64UrlEncode("f"), "Zg");
}

TEST(Base64, RefusesWhatNobodyEncodes) {
    for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "=", "====", "Zm9v=", "Zm9vYg=", "Zm 9",
                             "Zm9-", "Zh==", "Zm9=", "Zg==Zg==", "Zm9v\n"}) {
        EXPECT_FALSE(Base64Decode(text).has_value()) << text;
    }
    for (const char* text : {"Z", "Zg=", "Zh", "Zm9+", "Zm9v=", "Zm/v"})
        EXPECT_FALSE(Base64UrlDecode(text).has_value()) << text;
}

TEST(Base64, AnyBytesReadBack) {
    std::string bytes;
    for (int i = 0; i < 300; ++i) {
        EXPECT_EQ(Base64Decode(Base64Encode(bytes)), bytes);
        EXPECT_EQ(Base64UrlDecode(Base64UrlEncode(bytes)), bytes);
        EXPECT_EQ(HexDecode(HexEncode(bytes)), bytes);
        bytes.push_back(static_cast<char>(i * 37));
    }
}

TEST(Hex, BothCasesInLowerCaseOut) {
    EXPECT_EQ(HexEncode(std::string_view("\x00\xab\xff", 3)), "00abff");
    EXPECT_EQ(HexDecode("00ABff"), std::string("\x00\xab\xff", 3));
    for (const char* text : {"0", "0g", "g0", " 0"})
        EXPECT_FALSE(HexDecode(text).has_value()) << text;
}

}  // namespace
}  // namespace aim::security
