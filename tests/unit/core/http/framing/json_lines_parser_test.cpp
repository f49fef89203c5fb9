#include "core/http/json_lines_parser.hpp"

#include <gmock/gmock.h>

#include "tests/unit/core/http/framing/splits.hpp"

namespace aim::http {
namespace {

std::vector<std::string> ParseLines(const std::vector<std::string>& pieces,
                                    std::size_t limit = 1 << 20) {
    JsonLinesParser parser(limit);
    std::vector<std::string> seen;
    for (const std::string& piece : pieces) {
        const std::vector<char> copy(piece.begin(), piece.end());
        parser.Push({copy.data(), copy.size()});
        while (const auto text = parser.Next()) seen.emplace_back(*text);
    }
    parser.Finish();
    while (const auto text = parser.Next()) seen.emplace_back(*text);
    if (parser.failed()) seen.push_back("failed");
    return seen;
}

struct LinesCase {
    const char* name;
    std::string stream;
    std::vector<std::string> texts;
};

const LinesCase kLinesCases[] = {
    {"Lf", "{\"a\":1}\n{\"b\":2}\n", {"{\"a\":1}", "{\"b\":2}"}},
    {"CrLf", "1\r\n2\r\n", {"1", "2"}},
    {"LastWithoutEnd", "1\n2", {"1", "2"}},
    {"LastWithCr", "1\n2\r", {"1", "2"}},
    {"BlankLines", "\n\n1\n \t\r\n\r\n2\n\n", {"1", "2"}},
    {"CrWithinALine", "1\r2\n", {"1\r2"}},
    {"Empty", "", {}},
    {"OnlyBlank", "\r\n ", {}},
};

TEST(JsonLinesParserTest, CutsLinesHoweverTheStreamIsSplit) {
    for (const LinesCase& c : kLinesCases) {
        SCOPED_TRACE(c.name);
        ForEverySplit(c.stream,
                      [&](const auto& pieces) { ASSERT_EQ(ParseLines(pieces), c.texts); });
    }
}

TEST(JsonLinesParserTest, BoundsLines) {
    ForEverySplit("12345\r\n123456\n1\n", [](const auto& pieces) {
        ASSERT_THAT(ParseLines(pieces, 5), ::testing::ElementsAre("12345", "failed"));
    });
    ForEverySplit("1\n123456", [](const auto& pieces) {
        ASSERT_THAT(ParseLines(pieces, 5), ::testing::ElementsAre("1", "failed"));
    });
}

TEST(JsonLinesParserTest, CopiesNothingOfALineThatIsWhole) {
    const std::string stream = "{\"a\":1}\n";
    JsonLinesParser parser;
    parser.Push(stream);
    EXPECT_EQ(parser.Next()->data(), stream.data());
}

}  // namespace
}  // namespace aim::http
