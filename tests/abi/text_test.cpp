#include "aim/sdk/text.hpp"

#include <string>

#include <gtest/gtest.h>

namespace aim::sdk {
namespace {

TEST(Text, KnowsUtf8) {
    for (const char* good :
         {"", "plain",
          "Gr\xc3\xbc\xc3\x9f"
          "e",
          "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf"}) {
        EXPECT_TRUE(IsUtf8(good)) << good;
    }
    EXPECT_TRUE(IsUtf8(std::string_view("\0x", 2)));
    for (const char* bad : {"\x80", "\xff", "\xc3", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf",
                            "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
                            "\xf5\x80\x80\x80", "\xe2\x82", "\xf0\x9f\x98",
                            "a\xc3"
                            "a"}) {
        EXPECT_FALSE(IsUtf8(bad)) << bad;
    }
}

TEST(Text, KnowsWhatJsonMayBePassedOn) {
    for (const char* good :
         {"1", "\"\"", R"("\\ud800")", R"("\ud83d\ude00")", R"("\uD83D\uDE00\n")",
          R"({"a":"\u00e9"})", R"("\ue000")", R"("\ud7ff")"}) {
        EXPECT_TRUE(IsPassableJson(good)) << good;
    }
    for (const char* bad :
         {R"("\ud800")", R"("\ud800\n")", R"("\ude00")", R"("\udfff")", R"("\ud83d\ud83d")",
          R"("\uDC00")", R"("\ud83dx\ude00")", "\"\xff\"", "\"\\"}) {
        EXPECT_FALSE(IsPassableJson(bad)) << bad;
    }
}

}  // namespace
}  // namespace aim::sdk
