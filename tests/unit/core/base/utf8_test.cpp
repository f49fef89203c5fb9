#include "core/base/utf8.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/random.hpp"

namespace aim {
namespace {

std::string Sanitized(std::string_view text) {
    std::string out;
    SanitizeUtf8(text, out);
    return out;
}

// Text and what becomes of it ("?" stands for U+FFFD), after Unicode 15, tables 3-8 to 3-11.
const std::vector<std::pair<std::string, std::string>> kRepairs = {
    {"", ""},
    {"plain", "plain"},
    {"\xD0\xBF\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82",
     "\xD0\xBF\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82"},
    {"\xF0\x9F\x98\x80!", "\xF0\x9F\x98\x80!"},
    {"\xC0\xAF", "??"},  // overlong
    {"\xE0\x80\xBF", "???"},
    {"\xED\xA0\x80", "???"},  // a surrogate
    {"\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42", "?????A??B"},
    {"\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", "????A"},  // cut sequences are one error each
    {"\x80", "?"},
    {"\xE2\x82", "?"},
    {"a\xF0\x9F\x98", "a?"},
};

std::string WithReplacements(const std::string& text) {
    std::string out;
    for (const char c : text) out += c == '?' ? std::string("\xEF\xBF\xBD") : std::string(1, c);
    return out;
}

TEST(Utf8, RepairsByMaximalSubparts) {
    for (const auto& [broken, repaired] : kRepairs)
        EXPECT_EQ(Sanitized(broken), WithReplacements(repaired));
}

TEST(Utf8, RepairsTheSameInAnyTwoPiecesAndByteByByte) {
    for (const auto& [broken, repaired] : kRepairs) {
        for (std::size_t cut = 0; cut <= broken.size(); ++cut) {
            Utf8Sanitizer sanitizer;
            std::string out;
            sanitizer.Feed(std::string_view(broken).substr(0, cut), out);
            EXPECT_TRUE(IsValidUtf8(out));
            sanitizer.Feed(std::string_view(broken).substr(cut), out);
            sanitizer.Finish(out);
            EXPECT_EQ(out, WithReplacements(repaired)) << cut;
        }
        Utf8Sanitizer sanitizer;
        std::string out;
        for (const char c : broken) sanitizer.Feed(std::string_view(&c, 1), out);
        sanitizer.Finish(out);
        EXPECT_EQ(out, WithReplacements(repaired));
    }
}

TEST(Utf8, RandomBytesComeOutValidHoweverTheyAreCut) {
    const auto random = MakeSeededRandom(3);
    constexpr std::string_view kAlphabet =
        "ab\x80\xBF\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\xED\xA0\xF4\xFF";
    for (int round = 0; round < 2000; ++round) {
        std::string text;
        for (int i = 0; i < 40; ++i) text.push_back(kAlphabet[random->Next() % kAlphabet.size()]);
        const std::string whole = Sanitized(text);
        EXPECT_TRUE(IsValidUtf8(whole));
        Utf8Sanitizer sanitizer;
        std::string pieces;
        for (std::string_view rest = text; !rest.empty();) {
            const std::size_t size = std::min<std::size_t>(random->Next() % 5, rest.size());
            sanitizer.Feed(rest.substr(0, size), pieces);
            rest.remove_prefix(size);
        }
        sanitizer.Finish(pieces);
        EXPECT_EQ(pieces, whole);
        EXPECT_EQ(IsValidUtf8(text), whole == text);
    }
}

TEST(Utf8, ValidPrefixStopsAtTheFirstError) {
    EXPECT_EQ(ValidUtf8Prefix("0123456789\xFF tail"), 10u);
    EXPECT_EQ(ValidUtf8Prefix("\xD0\xBF\xD0"), 2u);
    EXPECT_EQ(ValidUtf8Prefix(std::string(100, 'a')), 100u);
    EXPECT_TRUE(IsValidUtf8(std::string_view("\0", 1)));
}

TEST(Utf8, CountsCharacters) {
    EXPECT_EQ(CountCodePoints(""), 0u);
    EXPECT_EQ(CountCodePoints("a\xD0\xBF\xF0\x9F\x98\x80"), 3u);
    EXPECT_EQ(CountCodePoints("a\xFF\xFE"), 3u);
}

TEST(Utf8, TruncatesBetweenCharacters) {
    const std::string_view text = "a\xF0\x9F\x98\x80\xD0\xBF";
    const std::vector<std::size_t> expected = {0, 1, 1, 1, 1, 5, 5, 7, 7};
    for (std::size_t most = 0; most < expected.size(); ++most)
        EXPECT_EQ(TruncateUtf8(text, most).size(), expected[most]) << most;
    // Bytes that are no character are cut anywhere.
    EXPECT_EQ(TruncateUtf8("\x80\x80\x80\x80\x80\x80", 5).size(), 5u);
}

}  // namespace
}  // namespace aim
