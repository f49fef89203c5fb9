#include "core/base/json_string.hpp"

#include <string>

#include <gtest/gtest.h>

namespace aim {
namespace {

std::string Quoted(std::string_view text) {
    std::string out = "x";  // appended to, not replaced
    AppendJsonString(text, out);
    return out.substr(1);
}

TEST(JsonString, PlainTextStandsForItself) {
    EXPECT_EQ(Quoted(""), R"("")");
    EXPECT_EQ(Quoted("a"), R"("a")");
    EXPECT_EQ(Quoted("exactly eight and more than that"), R"("exactly eight and more than that")");
    EXPECT_EQ(Quoted("\x7f"), "\"\x7f\"");
}

TEST(JsonString, EscapesWhatJsonDoesNotTake) {
    EXPECT_EQ(Quoted("\"\\\b\f\n\r\t"), R"("\"\\\b\f\n\r\t")");
    EXPECT_EQ(Quoted(std::string_view("\0\x01\x1f", 3)), "\"\\u0000\\u0001\\u001f\"");
}

TEST(JsonString, KeepsUtf8AndReplacesWhatIsNone) {
    EXPECT_EQ(Quoted("Grüße, Мир 🙂"), "\"Grüße, Мир 🙂\"");
    EXPECT_EQ(Quoted("a\xFFz"), "\"a\xEF\xBF\xBDz\"");
    EXPECT_EQ(Quoted("\xC3"), "\"\xEF\xBF\xBD\"");  // cut short
    EXPECT_EQ(Quoted("\xED\xA0\x80").find('\xED'), std::string::npos);
}

// Wherever in a word of eight bytes, and at the end of the text.
TEST(JsonString, FindsTheOneByteThatIsNotPlain) {
    for (const char special : {'"', '\\', '\n', '\x1f', '\xC3'}) {
        for (std::size_t size = 1; size < 80; ++size) {
            for (std::size_t at = 0; at < size; ++at) {
                std::string text(size, ' ');
                text[at] = special;
                ASSERT_EQ(EndOfPlainJson(text, 0), at) << size;
                ASSERT_EQ(EndOfPlainJson(text, at), at);
                ASSERT_EQ(EndOfPlainJson(text, at + 1), size);
            }
        }
    }
    EXPECT_EQ(EndOfPlainJson("plain text of some length ~}", 0), 28U);
}

TEST(JsonString, EscapesTheOneByteWhereverItStands) {
    for (std::size_t size = 1; size < 80; ++size) {
        for (std::size_t at = 0; at < size; ++at) {
            std::string text(size, '~');
            text[at] = '"';
            const std::string wanted = "\"" + text.substr(0, at) + "\\" + text.substr(at) + "\"";
            ASSERT_EQ(Quoted(text), wanted) << size;
        }
    }
}

}  // namespace
}  // namespace aim
