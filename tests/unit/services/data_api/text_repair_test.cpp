#include "services/data_api/records/text_repair.hpp"

#include <tuple>
#include <vector>

#include <gtest/gtest.h>

namespace aim::data_api {
namespace {

TEST(RepairEscapes, ReplacesOnlyWhatCannotBeStored) {
    const std::vector<std::tuple<std::string, std::string>> cases = {
        {R"("plain")", R"("plain")"},
        {R"("a\u0000b")", R"("a\ufffdb")"},
        {R"("\ud83d\ude00")", R"("\ud83d\ude00")"},
        {R"("\uD83D\uDE00")", R"("\uD83D\uDE00")"},
        {R"("\ud83d")", R"("\ufffd")"},
        {R"("\ude00x")", R"("\ufffdx")"},
        {R"("\ud83d\ud83d\ude00")", R"("\ufffd\ud83d\ude00")"},
        {R"("\ud83dx\ude00")", R"("\ufffdx\ufffd")"},
        {R"("\\u0000")", R"("\\u0000")"},
        {R"("\\\u0000")", R"("\\\ufffd")"},
        {R"("\n\u0001\"")", R"("\n\u0001\"")"},
        {R"("\u00")", R"("\u00")"},
        {R"("\ud83d\u)", R"("\ufffd\u)"},
        {R"("\)", R"("\)"},
        {"", ""},
    };
    for (const auto& [input, expected] : cases) {
        std::string text = input;
        RepairEscapes(text);
        EXPECT_EQ(text, expected);
        EXPECT_EQ(text.size(), input.size());
    }
}

TEST(CutText, CutsBetweenCharactersAndSaysSo) {
    EXPECT_EQ(CutText("short", 100), "short");
    const std::string exact(100, 'a');
    EXPECT_EQ(CutText(exact, 100), exact);
    std::string text;
    for (int i = 0; i < 100; ++i) text += "ж";
    for (std::size_t limit = 60; limit < 70; ++limit) {
        const std::string cut = CutText(text, limit);
        EXPECT_LE(cut.size(), limit);
        EXPECT_NE(cut.find("\n[cut: the text had 200 bytes]"), std::string::npos);
        EXPECT_EQ(cut.find("\n") % 2, 0U);  // whole characters only
    }
    EXPECT_EQ(CutText(text, 3), "\n[cut: the text had 200 bytes]");
}

TEST(FirstCharacters, CountsCharactersNotBytes) {
    EXPECT_EQ(FirstCharacters("жжж", 2), "жж");
    EXPECT_EQ(FirstCharacters("abc", 5), "abc");
    EXPECT_EQ(FirstCharacters("abc", 0), "");
    EXPECT_EQ(CountCharacters("ж😀a"), 3U);
}

}  // namespace
}  // namespace aim::data_api
