#include "core/http/sse_parser.hpp"

#include <gmock/gmock.h>

#include "tests/unit/core/http/framing/splits.hpp"

namespace aim::http {
namespace {

using ::testing::ElementsAre;

// "event|data|id" of every event, then how the stream ended.
std::vector<std::string> ParseSse(const std::vector<std::string>& pieces,
                                  SseParser::Limits limits = {}, bool flush = false) {
    SseParser parser(limits);
    std::vector<std::string> seen;
    const auto write = [&](const SseParser::Event& event) {
        seen.push_back(std::string(event.event) + "|" + std::string(event.data) + "|" +
                       std::string(event.id));
    };
    for (const std::string& piece : pieces) {
        // Exactly as large as it is, freed at once.
        const std::vector<char> copy(piece.begin(), piece.end());
        parser.Push({copy.data(), copy.size()});
        while (const auto event = parser.Next()) write(*event);
    }
    const SseParser::End end = parser.Finish(flush);
    if (end.event) write(*end.event);
    if (end.truncated) seen.push_back("truncated");
    if (parser.failed()) seen.push_back("failed");
    if (parser.comments() > 0) seen.push_back("comments " + std::to_string(parser.comments()));
    if (parser.retry()) seen.push_back("retry " + std::to_string(parser.retry()->count()));
    return seen;
}

struct SseCase {
    const char* name;
    std::string stream;
    std::vector<std::string> events;
};

const SseCase kSseCases[] = {
    {"Lf", "data: a\n\ndata: b\n\n", {"|a|", "|b|"}},
    {"CrLf", "data: a\r\n\r\ndata: b\r\n\r\n", {"|a|", "|b|"}},
    {"Cr", "data: a\r\rdata: b\r\r", {"|a|", "|b|"}},
    {"MixedEnds", "data: a\r\n\ndata: b\n\r\ndata: c\r\r\n", {"|a|", "|b|", "|c|"}},
    {"CrThenLfIsOneEnd", "data: a\r\ndata: b\r\n\r\n", {"|a\nb|"}},
    {"NoSpace", "data:{}\n\n", {"|{}|"}},
    {"OneSpaceOnly", "data:  two\n\n", {"| two|"}},
    {"ManyLines", "data: a\ndata\ndata: c\n\n", {"|a\n\nc|"}},
    {"EmptyData", "data:\n\n", {"||"}},
    {"EmptyDataWithoutColon", "data\n\n", {"||"}},
    {"Named",
     "event: message_start\ndata: {}\n\nevent: ping\ndata: 1\n\ndata: 2\n\n",
     {"message_start|{}|", "ping|1|", "|2|"}},
    {"NameWithoutDataIsDropped", "event: x\n\ndata: 1\n\n", {"|1|"}},
    {"IdStays", "id: 7\ndata: a\n\ndata: b\n\nid\ndata: c\n\n", {"|a|7", "|b|7", "|c|"}},
    {"IdWithNulIsIgnored",
     std::string("id: 7\ndata: a\n\nid: x\0y\ndata: b\n\n", 32),
     {"|a|7", "|b|7"}},
    {"Comments", ": keep-alive\n\n:\n\n: x\ndata: 1\n: y\n\n", {"|1|", "comments 4"}},
    {"Retry", "retry: 3000\nretry: soon\nretry: 1x\nretry: -5\n\n", {"retry 3000"}},
    {"UnknownFields", "foo: bar\ndata: 1\nDATA: 2\n data: 3\n\n", {"|1|"}},
    {"ByteOrderMark",
     "\xEF\xBB\xBF"
     "data: 1\n\n",
     {"|1|"}},
    {"ByteOrderMarkOnlyFirst",
     "data: 1\n\n\xEF\xBB\xBF"
     "data: 2\n\n",
     {"|1|", "truncated"}},
    {"ColonInData", "data: a: b:c\n\n", {"|a: b:c|"}},
    {"Empty", "", {}},
    {"BlankLines", "\n\n\r\n\r\r", {}},
    {"CutEvent", "data: 1\n\ndata: 2\n", {"|1|", "truncated"}},
    {"CutLine", "data: 1\n\ndata: 2", {"|1|", "truncated"}},
    {"CutName", "data: 1\n\nevent: x\n", {"|1|", "truncated"}},
    {"CutComment", "data: 1\n\n: keep", {"|1|"}},
    {"Done", "data: {\"a\":1}\n\ndata: [DONE]\n\n", {"|{\"a\":1}|", "|[DONE]|"}},
    {"MultiByte", "data: \xD0\xBF\xF0\x9F\x98\x80\n\n", {"|\xD0\xBF\xF0\x9F\x98\x80|"}},
};

TEST(SseParserTest, FollowsTheStandardHoweverTheStreamIsSplit) {
    for (const SseCase& c : kSseCases) {
        SCOPED_TRACE(c.name);
        std::vector<std::string> expected = c.events;
        // The byte order mark of a later event is a part of an unknown field's name: the event has
        // no data.
        if (std::string_view(c.name) == "ByteOrderMarkOnlyFirst") expected = {"|1|"};
        ForEverySplit(c.stream, [&](const auto& pieces) { ASSERT_EQ(ParseSse(pieces), expected); });
    }
}

TEST(SseParserTest, FlushesTheLastEventWhenAsked) {
    ForEverySplit("data: 1\n\ndata: 2\ndata: 3", [](const auto& pieces) {
        ASSERT_THAT(ParseSse(pieces, {}, true), ElementsAre("|1|", "|2\n3|", "truncated"));
    });
}

TEST(SseParserTest, BoundsLinesAndEvents) {
    SseParser::Limits limits;
    limits.max_line = 10;
    ForEverySplit("data: 1234\n\ndata: 12345\n\ndata: x\n\n", [&](const auto& pieces) {
        ASSERT_THAT(ParseSse(pieces, limits), ElementsAre("|1234|", "failed"));
    });
    ForEverySplit("data: 1\n\nthis line never ends and no event follows", [&](const auto& pieces) {
        ASSERT_THAT(ParseSse(pieces, limits), ElementsAre("|1|", "failed"));
    });
    SseParser::Limits small_event;
    small_event.max_event = 5;
    ForEverySplit("data: 12\ndata: 45\n\ndata: 12\ndata: 456\n\n", [&](const auto& pieces) {
        ASSERT_THAT(ParseSse(pieces, small_event), ElementsAre("|12\n45|", "failed"));
    });
}

TEST(SseParserTest, CopiesNothingOfAnEventThatIsWhole) {
    const std::string stream = "event: x\ndata: abcdefghijklmnopqrstuvwxyz\n\n";
    SseParser parser;
    parser.Push(stream);
    const auto event = parser.Next();
    ASSERT_TRUE(event);
    EXPECT_EQ(event->data.data(), stream.data() + 15);
}

TEST(SseParserTest, FeedStopsWhenItsReaderHasEnough) {
    SseParser parser;
    std::vector<std::string> seen;
    const auto result =
        parser.Feed("data: 1\n\ndata: [DONE]\n\ndata: 3\n\n", [&](const SseParser::Event& event) {
            seen.emplace_back(event.data);
            return event.data != "[DONE]";
        });
    EXPECT_TRUE(result.has_value());
    EXPECT_THAT(seen, ElementsAre("1", "[DONE]"));
}

TEST(SseParserTest, FeedReportsALimit) {
    SseParser::Limits limits;
    limits.max_line = 4;
    SseParser parser(limits);
    const auto result = parser.Feed("data: 1\n\n", [](const SseParser::Event&) { return true; });
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().kind, ErrorKind::kProtocolError);
}

TEST(SseParserTest, ManyMegabytesInSmallPieces) {
    const std::string data(5u << 20, 'x');
    const std::string stream = "data: " + data + "\n\n";
    SseParser parser;
    std::size_t events = 0;
    for (std::size_t at = 0; at < stream.size(); at += 4096) {
        parser.Push(std::string_view(stream).substr(at, 4096));
        while (const auto event = parser.Next()) {
            ++events;
            EXPECT_TRUE(event->data == data);
        }
    }
    EXPECT_EQ(events, 1u);
}

}  // namespace
}  // namespace aim::http
