#include "services/cli/console/table.hpp"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/cli/console/text_width.hpp"

namespace aim::cli {
namespace {

Terminal Columns(int columns, bool colours = false) { return {true, colours, columns}; }

std::size_t Widest(const std::string& text) {
    std::istringstream lines(text);
    std::size_t widest = 0;
    for (std::string line; std::getline(lines, line);)
        widest = std::max(widest, DisplayWidth(line));
    return widest;
}

TEST(TextWidthTest, CountsWhatATerminalShows) {
    EXPECT_EQ(DisplayWidth(""), 0u);
    EXPECT_EQ(DisplayWidth("abc"), 3u);
    EXPECT_EQ(DisplayWidth("Привет"), 6u);
    EXPECT_EQ(DisplayWidth("世界"), 4u);
    EXPECT_EQ(DisplayWidth("e\xcc\x81"), 1u);  // e and a combining accent
    EXPECT_EQ(DisplayWidth("😀"), 2u);
    EXPECT_EQ(DisplayWidth("a\xe2\x80\x8b"
                           "b"),
              2u);                            // zero width space
    EXPECT_EQ(DisplayWidth("\xff\xfe"), 2u);  // malformed
}

TEST(TextWidthTest, CutsBetweenCharacters) {
    EXPECT_EQ(FitToWidth("abcdef", 6), "abcdef");
    EXPECT_EQ(FitToWidth("abcdef", 4), "abc…");
    EXPECT_EQ(FitToWidth("世界世界", 5), "世界…");
    EXPECT_EQ(FitToWidth("世界世界", 4), "世…");  // a half of a character is none
    EXPECT_EQ(FitToWidth("e\xcc\x81"
                         "ab",
                         2),
              "e\xcc\x81…");
    EXPECT_EQ(FitToWidth("abc", 1), "…");
    EXPECT_EQ(FitToWidth("abc", 0), "");
}

TEST(TextWidthTest, PutsTextsOnOneLine) {
    EXPECT_EQ(OneLine("  a\n\tb  c \r\n"), "a b c");
    EXPECT_EQ(OneLine(""), "");
}

TEST(TableTest, AlignsByWidthNotBytes) {
    Table table({{"NAME"}, {"N", true}, {"LAST"}});
    table.Add({{"世界"}, {"5"}, {"x"}});
    table.Add({{"Имя-а"}, {"1000"}, {""}});
    EXPECT_EQ(table.Render({}),
              "NAME      N  LAST\n"
              "世界      5  x\n"
              "Имя-а  1000\n");
}

TEST(TableTest, CutsNothingWithoutATerminal) {
    Table table({{"A", false, true}, {"B", false, true}});
    table.Add({{std::string(300, 'a')}, {std::string(300, 'b')}});
    EXPECT_EQ(Widest(table.Render({})), 602u);
}

TEST(TableTest, ShrinksFlexibleColumnsFirst) {
    Table table({{"NAME", false, true}, {"STATE"}, {"TEXT", false, true}});
    table.Add({{"a-rather-long-name"}, {"available"}, {std::string(100, 'x')}});
    const std::string text = table.Render(Columns(50));
    EXPECT_EQ(Widest(text), 50u);
    EXPECT_NE(text.find("available"), std::string::npos) << text;
    EXPECT_NE(text.find("a-rather-long-name"), std::string::npos) << text;
    EXPECT_NE(text.find("x…"), std::string::npos) << text;
}

TEST(TableTest, LeavesOutTheLeastImportantColumns) {
    Table table({{"NAME", false, true, 0}, {"LEAST", false, false, 2}, {"SOME", true, false, 1}});
    table.Add({{"name"}, {"least-of-all"}, {"12345678"}});
    EXPECT_EQ(table.Render(Columns(16)),
              "NAME      SOME\n"
              "name  12345678\n");
    EXPECT_EQ(table.Render(Columns(8)), "NAME\nname\n");
    // What is never left out is shown however narrow it gets.
    EXPECT_EQ(table.Render(Columns(1)), "NAME\nname\n");
}

TEST(TableTest, ColoursAreForTerminalsThatWantThem) {
    Table table({{"A"}});
    table.Add({{"x", Colour::kGreen}});
    EXPECT_EQ(table.Render(Columns(80, true)), "\x1b[1mA\x1b[0m\n\x1b[32mx\x1b[0m\n");
    EXPECT_EQ(table.Render(Columns(80)), "A\nx\n");
}

TEST(TableTest, TakesNoOrdersFromItsTexts) {
    Table table({{"A"}, {"B"}});
    table.Add({{"a\x1b[31m\nb"}, {"c\xff"}});
    table.Add({{"alone"}});
    EXPECT_EQ(table.Render({}), "A        B\na[31m b  c\xef\xbf\xbd\nalone\n");
}

TEST(OutputTest, HarmlessKeepsTextAndDropsControls) {
    EXPECT_EQ(Harmless("a\tb\nПривет 😀"), "a\tb\nПривет 😀");
    EXPECT_EQ(Harmless("a\x1b]0;t\x07"
                       "b\rc\x7f\xc2\x9b"
                       "d"),
              "a]0;tbcd");
    EXPECT_EQ(Harmless("\xc2\xa0"), "\xc2\xa0");
    EXPECT_EQ(Harmless("\xc2"), "\xef\xbf\xbd");
}

TEST(OutputTest, ErrorsBecomeExitCodes) {
    Error error;
    error.kind = ErrorKind::kCancelled;
    EXPECT_EQ(Report(error, false), 130);
    error.kind = ErrorKind::kInvalidRequest;
    EXPECT_EQ(Report(error, false), 2);
    error.upstream_status = 400;
    EXPECT_EQ(Report(error, false), 1);
    for (const ErrorKind kind : {ErrorKind::kUpstreamFailure, ErrorKind::kUpstreamTimeout,
                                 ErrorKind::kProtocolError, ErrorKind::kInternal}) {
        error = {};
        error.kind = kind;
        EXPECT_EQ(Report(error, false), 3);
    }
    error.kind = ErrorKind::kModelNotFound;
    EXPECT_EQ(Report(error, false), 1);
}

}  // namespace
}  // namespace aim::cli
