#include "services/telegram_bot/message_splitter.hpp"

#include <random>

#include <gtest/gtest.h>

#include "core/base/utf8.hpp"

namespace aim::telegram_bot {
namespace {

std::string Repeat(std::string_view text, std::size_t times) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i) out += text;
    return out;
}

void ExpectSound(const std::vector<std::string>& parts, std::size_t limit) {
    for (const std::string& part : parts) {
        EXPECT_LE(Utf16Length(part), limit);
        EXPECT_TRUE(IsValidUtf8(part));
        EXPECT_TRUE(OpenFence(part).empty()) << part;
        EXPECT_NE(part.find_first_not_of(" \n"), std::string::npos);
    }
}

TEST(Utf16Test, CountsCodeUnits) {
    EXPECT_EQ(Utf16Length(""), 0U);
    EXPECT_EQ(Utf16Length("abc"), 3U);
    EXPECT_EQ(Utf16Length("Привет"), 6U);
    EXPECT_EQ(Utf16Length("😀"), 2U);
    EXPECT_EQ(Utf16Length("a\xFF"), 2U);
    EXPECT_EQ(Utf16Prefix("a😀b", 2), 1U);
    EXPECT_EQ(Utf16Prefix("a😀b", 3), 5U);
    EXPECT_EQ(Utf16Prefix("Привет", 100), 12U);
}

TEST(MessageSplitterTest, AShortTextIsOnePart) {
    EXPECT_EQ(SplitMessage("hello"), std::vector<std::string>{"hello"});
    EXPECT_EQ(SplitMessage(""), std::vector<std::string>{""});
    EXPECT_EQ(SplitMessage(std::string(kMessageUnits, 'x')).size(), 1U);
    EXPECT_EQ(SplitMessage(std::string(kMessageUnits + 1, 'x')).size(), 2U);
}

TEST(MessageSplitterTest, CutsWhereAReaderWouldPause) {
    const std::string words = Repeat("слово ", 9);
    struct Case {
        const char* name;
        std::string text;
        std::string first;
    };
    const Case cases[] = {
        {"paragraph", Repeat("a", 60) + "\n\n" + Repeat("b", 50), Repeat("a", 60)},
        {"line", Repeat("a", 60) + "\n" + Repeat("b", 50), Repeat("a", 60)},
        {"sentence", Repeat("a", 60) + ". " + Repeat("b c", 20), Repeat("a", 60) + "."},
        {"word", Repeat("a", 70) + " " + Repeat("b", 50), Repeat("a", 70)},
        {"nowhere", Repeat("a", 150), Repeat("a", 96)},
    };
    for (const Case& one : cases) {
        SCOPED_TRACE(one.name);
        const auto parts = SplitMessage(one.text, 100);
        ASSERT_GE(parts.size(), 2U);
        EXPECT_EQ(parts[0], one.first);
        ExpectSound(parts, 100);
    }
}

TEST(MessageSplitterTest, NothingIsCutInsideACharacterOrAnEmoji) {
    ExpectSound(SplitMessage(Repeat("😀", 200), 65), 65);
    const std::string family = "👩‍👩‍👧";
    for (const std::string& part : SplitMessage(Repeat(family, 50), 100)) {
        EXPECT_EQ(part.size() % family.size(), 0U) << part;
    }
    const std::string accent = "e\xCC\x81";
    for (const std::string& part : SplitMessage(Repeat(accent, 101), 67))
        EXPECT_EQ(part.size() % accent.size(), 0U);
}

TEST(MessageSplitterTest, CodeBlocksAreClosedAndOpenedAgain) {
    std::string text = "Look:\n```python\n";
    for (int i = 0; i < 30; ++i) text += "print(" + std::to_string(i) + ")\n";
    text += "```\nDone.";
    const auto parts = SplitMessage(text, 120);
    ASSERT_GE(parts.size(), 3U);
    ExpectSound(parts, 120);
    EXPECT_TRUE(parts[0].ends_with("\n```"));
    EXPECT_TRUE(parts[1].starts_with("```python\nprint("));
    EXPECT_TRUE(parts.back().ends_with("```\nDone."));
    std::string lines;
    for (const std::string& part : parts) lines += part + "\n";
    for (int i = 0; i < 30; ++i)
        EXPECT_NE(lines.find("print(" + std::to_string(i) + ")\n"), std::string::npos) << i;
}

TEST(MessageSplitterTest, ABlockThatEndsAtTheCutIsNotOpenedForNothing) {
    const std::string text =
        "```\n" + Repeat("x", 50) + "\n" + Repeat("y", 40) + "\n```\n" + Repeat("after ", 20);
    const auto parts = SplitMessage(text, 100);
    ExpectSound(parts, 100);
    for (const std::string& part : parts) EXPECT_FALSE(part.starts_with("```\n```")) << part;
}

TEST(MessageSplitterTest, AGrowingTextIsCutWhereTheWholeOneIs) {
    std::string text;
    for (int i = 0; i < 120; ++i)
        text += i % 7 == 0 ? "\n\nAbsatz.\n```cpp\nint x;\n```\n" : "слова и 😀 words, ";
    const auto whole = SplitMessage(text, 200);
    for (std::size_t end = 0; end < text.size(); end += 37) {
        const auto grown = SplitMessage(TruncateUtf8(text, end), 200);
        for (std::size_t i = 0; i + 1 < grown.size(); ++i) ASSERT_EQ(grown[i], whole[i]) << end;
    }
}

TEST(MessageSplitterTest, AnythingIsCutSoundly) {
    std::mt19937 random(7);
    const std::vector<std::string> pieces{
        "word ", "\n", "\n\n", "```\n", "```cpp\n", "~~~", "`", "😀", "é", "длинное слово. ", "x"};
    for (int round = 0; round < 300; ++round) {
        std::string text;
        const std::size_t count = random() % 200;
        for (std::size_t i = 0; i < count; ++i) text += pieces[random() % pieces.size()];
        for (const std::string& part : SplitMessage(text, 80)) {
            ASSERT_LE(Utf16Length(part), 80U);
            ASSERT_TRUE(IsValidUtf8(part));
        }
    }
}

}  // namespace
}  // namespace aim::telegram_bot
