#include "core/http/request_parser.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aim::http {
namespace {

using Status = RequestParser::Status;

struct Parsed {
    Status status = Status::kNeedMore;
    int refused_with = 0;
    int heads = 0;
    std::vector<std::string> requests;  // "METHOD target [name=value…] body keep|close"
    std::string rest;

    bool operator==(const Parsed&) const = default;
};

std::string Describe(const RequestParser& parser, const Request& request) {
    std::string text = std::string(MethodName(request.method)) + " " + request.target;
    for (std::size_t i = 0; i < request.headers.size(); ++i) {
        text += " [" + std::string(request.headers[i].name) + "=" +
                std::string(request.headers[i].value) + "]";
    }
    text += " {" + request.body + "}";
    text += parser.keep_alive() ? " keep" : " close";
    if (parser.expects_continue()) text += " expects";
    return text;
}

// Feeds `bytes` in pieces of `step`, as a connection does: what is not consumed is there again at
// the next call.
Parsed Feed(std::string_view bytes, std::size_t step, const RequestParser::Limits& limits = {}) {
    Parsed parsed;
    RequestParser parser(limits);
    Request request;
    std::string pending;
    while (!bytes.empty()) {
        pending.append(bytes.substr(0, step));
        bytes.remove_prefix(std::min(step, bytes.size()));
        for (;;) {
            std::string_view input = pending;
            parsed.status = parser.Parse(input, request);
            pending.erase(0, pending.size() - input.size());
            if (parsed.status == Status::kHead) {
                ++parsed.heads;
                continue;
            }
            if (parsed.status != Status::kComplete) break;
            parsed.requests.push_back(Describe(parser, request));
            parser.Reset();
            request.Clear();
            if (pending.empty()) break;
        }
        if (parsed.status == Status::kRefused) {
            parsed.refused_with = parser.refusal().status;
            return parsed;
        }
    }
    parsed.rest = pending;
    return parsed;
}

// However the bytes are cut, the result is the same.
Parsed FeedAllWays(std::string_view bytes, const RequestParser::Limits& limits = {}) {
    const Parsed whole = Feed(bytes, bytes.size(), limits);
    for (const std::size_t step : {1, 2, 3, 7, 16}) {
        Parsed parts = Feed(bytes, step, limits);
        // What stands in the pending input depends on the cut once nothing more is read from it.
        parts.rest = whole.rest;
        parts.heads = whole.heads;
        EXPECT_EQ(parts, whole) << "in pieces of " << step << ": " << bytes;
    }
    return whole;
}

struct Good {
    std::string name;
    std::string bytes;
    std::vector<std::string> requests;
};

class GoodRequest : public ::testing::TestWithParam<Good> {};

TEST_P(GoodRequest, IsUnderstoodHoweverItIsCut) {
    const Parsed parsed = FeedAllWays(GetParam().bytes);
    EXPECT_EQ(parsed.requests, GetParam().requests);
    EXPECT_NE(parsed.status, Status::kRefused);
}

INSTANTIATE_TEST_SUITE_P(
    Table, GoodRequest,
    ::testing::Values(
        Good{"Get", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", {"GET / [Host=a] {} keep"}},
        Good{"LengthBody",
             "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
             {"POST /x [Host=a] [Content-Length=5] {hello} keep"}},
        Good{"EmptyBody",
             "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
             {"POST /x [Host=a] [Content-Length=0] {} keep"}},
        Good{"LeadingZeros",
             "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0003\r\n\r\nabc",
             {"POST /x [Host=a] [Content-Length=0003] {abc} keep"}},
        Good{"Pipelined",
             "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: "
             "2\r\n\r\nabGET /3 HTTP/1.1\r\nHost: a\r\n\r\n",
             {"GET /1 [Host=a] {} keep", "POST /2 [Host=a] [Content-Length=2] {ab} keep",
              "GET /3 [Host=a] {} keep"}},
        Good{"Chunked",
             "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
             "chunked\r\n\r\n5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n",
             {"POST /x [Host=a] [Transfer-Encoding=chunked] {hello0123456789} keep"}},
        Good{"ChunkedAnyCase",
             "POST /x HTTP/1.1\r\nHost: a\r\ntransfer-encoding: CHUNKED\r\n\r\n0\r\n\r\n",
             {"POST /x [Host=a] [transfer-encoding=CHUNKED] {} keep"}},
        Good{"ChunkExtensionsAndTrailers",
             "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
             "chunked\r\n\r\n2;a=b;c=\"d;e\"\r\nhi\r\n000;x\r\nX-Sum: 1\r\nContent-Length: "
             "9\r\n\r\n",
             {"POST /x [Host=a] [Transfer-Encoding=chunked] {hi} keep"}},
        Good{"AfterChunkedComesTheNext",
             "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
             "chunked\r\n\r\n1\r\nz\r\n0\r\n\r\nGET /n HTTP/1.1\r\nHost: a\r\n\r\n",
             {"POST /x [Host=a] [Transfer-Encoding=chunked] {z} keep", "GET /n [Host=a] {} keep"}},
        Good{"AbsoluteForm",
             "GET http://example.org:80/p?q=1 HTTP/1.1\r\nHost: example.org\r\n\r\n",
             {"GET /p?q=1 [Host=example.org] {} keep"}},
        Good{"AbsoluteFormWithoutPath",
             "GET https://example.org?q HTTP/1.1\r\nHost: a\r\n\r\n",
             {"GET /?q [Host=a] {} keep"}},
        Good{"Asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", {"OPTIONS * [Host=a] {} keep"}},
        Good{"UnknownMethod",
             "BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n",
             {"OTHER /pot [Host=a] {} keep"}},
        Good{
            "EmptyLineBefore", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", {"GET / [Host=a] {} keep"}},
        Good{"ValueIsTrimmed",
             "GET / HTTP/1.1\r\nHost:a\r\nX-A: \t b c \t\r\nX-E:\r\n\r\n",
             {"GET / [Host=a] [X-A=b c] [X-E=] {} keep"}},
        Good{"Utf8",
             "GET /?u=\xd0\xb0 HTTP/1.1\r\nHost: a\r\nX-N: \xd0\xb1\r\n\r\n",
             {"GET /?u=\xd0\xb0 [Host=a] [X-N=\xd0\xb1] {} keep"}},
        Good{"ConnectionClose",
             "GET / HTTP/1.1\r\nHost: a\r\nConnection: foo, Close\r\n\r\n",
             {"GET / [Host=a] [Connection=foo, Close] {} close"}},
        Good{"CloseWins",
             "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n",
             {"GET / [Host=a] [Connection=keep-alive] [Connection=close] {} close"}},
        Good{"Http10", "GET / HTTP/1.0\r\n\r\n", {"GET / {} close"}},
        Good{"Http10KeepAlive",
             "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
             {"GET / [Connection=Keep-Alive] {} keep"}},
        Good{"Expect",
             "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\nx",
             {"POST / [Host=a] [Expect=100-Continue] [Content-Length=1] {x} keep expects"}},
        Good{"ExpectWithoutBody",
             "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
             {"GET / [Host=a] [Expect=100-continue] {} keep"}}),
    [](const auto& instance) { return instance.param.name; });

struct Bad {
    std::string name;
    std::string bytes;
    int status = 400;
};

class BadRequest : public ::testing::TestWithParam<Bad> {};

TEST_P(BadRequest, IsRefusedHoweverItIsCut) {
    const Parsed parsed = FeedAllWays(GetParam().bytes);
    EXPECT_EQ(parsed.status, Status::kRefused);
    EXPECT_EQ(parsed.refused_with, GetParam().status);
    EXPECT_TRUE(parsed.requests.empty());
}

std::string Post(std::string_view fields, std::string_view body = "") {
    return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

std::string Chunked(std::string_view body) { return Post("Transfer-Encoding: chunked\r\n", body); }

using std::string_literals::operator""s;

INSTANTIATE_TEST_SUITE_P(
    Smuggling, BadRequest,
    ::testing::Values(
        Bad{"LengthAndCoding",
            Post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
        Bad{"CodingAndLength",
            Post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n")},
        Bad{"TwoLengths", Post("Content-Length: 5\r\nContent-Length: 6\r\n")},
        Bad{"SameLengthTwice", Post("Content-Length: 5\r\nContent-Length: 5\r\n")},
        Bad{"LengthList", Post("Content-Length: 5, 5\r\n")},
        Bad{"LengthWord", Post("Content-Length: abc\r\n")},
        Bad{"LengthNegative", Post("Content-Length: -5\r\n")},
        Bad{"LengthPlus", Post("Content-Length: +5\r\n")},
        Bad{"LengthEmpty", Post("Content-Length: \r\n")},
        Bad{"LengthHex", Post("Content-Length: 0x5\r\n")},
        Bad{"LengthWithBlank", Post("Content-Length: 1 2\r\n")},
        Bad{"LengthFraction", Post("Content-Length: 5.0\r\n")},
        Bad{"LengthOverflow", Post("Content-Length: 18446744073709551621\r\n")},
        Bad{"LengthOverflowTwice", Post("Content-Length: 99999999999999999999999999999999\r\n")},
        Bad{"CodingIdentity", Post("Transfer-Encoding: identity\r\n")},
        Bad{"CodingList", Post("Transfer-Encoding: gzip, chunked\r\n")},
        Bad{"CodingTwice", Post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")},
        Bad{"CodingChunkedTwice", Post("Transfer-Encoding: chunked, chunked\r\n")},
        Bad{"CodingPrefixed", Post("Transfer-Encoding: xchunked\r\n")},
        Bad{"CodingVerticalTab", Post("Transfer-Encoding: \x0b"
                                      "chunked\r\n")},
        Bad{"CodingQuoted", Post("Transfer-Encoding: \"chunked\"\r\n")},
        Bad{"CodingEmpty", Post("Transfer-Encoding:\r\n")},
        Bad{"CodingInHttp10",
            "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        Bad{"FoldedLine", Post("X-A: b\r\n c\r\n")},
        Bad{"FoldedCoding", Post("Transfer-Encoding:\r\n chunked\r\n")},
        Bad{"FoldedFirst", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"},
        Bad{"BlankBeforeColon", Post("Content-Length : 5\r\n")},
        Bad{"TabBeforeColon", Post("Transfer-Encoding\t: chunked\r\n")},
        Bad{"NoColon", Post("Content-Length\r\n")}, Bad{"EmptyName", Post(": x\r\n")},
        Bad{"NulInName", Post("X\0Y: z\r\n"s)}, Bad{"NulInValue", Post("X: a\0b\r\n"s)},
        Bad{"BareReturnInValue", Post("X: a\rContent-Length: 5\r\n")},
        Bad{"BareNewline", "GET / HTTP/1.1\nHost: a\n\n"},
        Bad{"BareNewlineInHead", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"},
        Bad{"BareNewlineAtEnd", "GET / HTTP/1.1\r\nHost: a\r\n\n"},
        Bad{"ReturnReturnNewline", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"},
        Bad{"ControlInValue", Post("X: a\x01\r\n")}, Bad{"DeleteInValue", Post("X: a\x7f\r\n")},
        Bad{"NoHost", "GET / HTTP/1.1\r\n\r\n"},
        Bad{"TwoHosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"},
        Bad{"HostWithBlank", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"},
        Bad{"HostWithPath", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"},
        Bad{"HostWithUser", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"},
        Bad{"UnknownExpectation", Post("Expect: tea\r\nContent-Length: 1\r\n")}),
    [](const auto& instance) { return instance.param.name; });

INSTANTIATE_TEST_SUITE_P(
    StartLine, BadRequest,
    ::testing::Values(Bad{"Empty", "\r\n\r\n\r\n"}, Bad{"OneWord", "GET\r\n\r\n"},
                      Bad{"NoVersion", "GET /\r\n\r\n"},
                      Bad{"Http09", "GET / HTTP/0.9\r\nHost: a\r\n\r\n"},
                      Bad{"Http2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
                      Bad{"LongVersion", "GET / HTTP/1.10\r\nHost: a\r\n\r\n"},
                      Bad{"LowerVersion", "GET / http/1.1\r\nHost: a\r\n\r\n"},
                      Bad{"BlankInTarget", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"},
                      Bad{"TwoBlanks", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"},
                      Bad{"BlankBehind", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"},
                      Bad{"TabForBlank", "GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n"},
                      Bad{"NulInTarget", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"s},
                      Bad{"Fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"},
                      Bad{"NoSlash", "GET a HTTP/1.1\r\nHost: a\r\n\r\n"},
                      Bad{"Asterisk", "GET * HTTP/1.1\r\nHost: a\r\n\r\n"},
                      Bad{"Connect", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"},
                      Bad{"OtherScheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"},
                      Bad{"NoAuthority", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n"},
                      Bad{"UserInfo", "GET http://u@a/x HTTP/1.1\r\nHost: a\r\n\r\n"},
                      Bad{"BadMethod", "GE(T / HTTP/1.1\r\nHost: a\r\n\r\n"},
                      Bad{"TlsHello", "\x16\x03\x01\x02\n\x01\x00\r\n\r\n"s}),
    [](const auto& instance) { return instance.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Chunks, BadRequest,
    ::testing::Values(
        Bad{"NoSize", Chunked("\r\n\r\n")}, Bad{"BadDigit", Chunked("5g\r\nhello\r\n0\r\n\r\n")},
        Bad{"Negative", Chunked("-1\r\n\r\n")}, Bad{"Plus", Chunked("+5\r\nhello\r\n")},
        Bad{"Hex", Chunked("0x5\r\nhello\r\n")}, Bad{"BlankBefore", Chunked(" 5\r\nhello\r\n")},
        Bad{"BlankBehind", Chunked("5 \r\nhello\r\n")},
        Bad{"Overflow", Chunked("10000000000000005\r\nhello\r\n")},
        Bad{"BareNewlineAfterSize", Chunked("5\nhello\r\n")},
        Bad{"TooLongData", Chunked("5\r\nhelloX\r\n0\r\n\r\n")},
        Bad{"TooShortData", Chunked("5\r\nhell\r\n0\r\n\r\n")},
        Bad{"NewlineOnlyAfterData", Chunked("5\r\nhello\n0\r\n\r\n")},
        Bad{"ReturnOnlyAfterData", Chunked("5\r\nhello\rX0\r\n\r\n")},
        Bad{"NulInExtension", Chunked("5;a=\0\r\nhello\r\n"s)},
        Bad{"BareNewlineInExtension", Chunked("5;a\nb\r\nhello\r\n")},
        Bad{"BadTrailer", Chunked("0\r\nno colon\r\n\r\n")},
        Bad{"FoldedTrailer", Chunked("0\r\n a: b\r\n\r\n")},
        Bad{"LongSizeLine", Chunked("5;" + std::string(2000, 'x') + "\r\nhello\r\n")},
        Bad{"LongTrailers", Chunked("0\r\nA: " + std::string(9000, 'x') + "\r\n\r\n"), 431},
        Bad{"HugeChunk", Chunked("2000001\r\n"), 413}),
    [](const auto& instance) { return instance.param.name; });

TEST(RequestParser, BoundsTheHeadWhole) {
    const std::string filler(70'000, 'x');
    EXPECT_EQ(FeedAllWays("GET /" + filler).refused_with, 431);
    EXPECT_EQ(FeedAllWays("GET / HTTP/1.1\r\nHost: a\r\nX: " + filler).refused_with, 431);
    std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (int i = 0; i < 128; ++i) many += "X: y\r\n";
    EXPECT_EQ(FeedAllWays(many + "\r\n").refused_with, 431);
}

TEST(RequestParser, TakesAHeadUpToTheLastByteOfTheLimit) {
    RequestParser::Limits limits;
    limits.head_bytes = 200;
    const std::string start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    const std::string end = "\r\n\r\n";
    const std::string fits = start + std::string(200 - start.size() - end.size(), 'x') + end;
    EXPECT_EQ(FeedAllWays(fits, limits).requests.size(), 1u);
    const std::string too_long = start + std::string(201 - start.size() - end.size(), 'x') + end;
    EXPECT_EQ(FeedAllWays(too_long, limits).refused_with, 431);
}

TEST(RequestParser, BoundsTheBodyByItsDeclarationAndByItsChunks) {
    RequestParser::Limits limits;
    limits.body_bytes = 10;
    EXPECT_EQ(FeedAllWays(Post("Content-Length: 10\r\n", "0123456789"), limits).requests.size(),
              1u);
    EXPECT_EQ(FeedAllWays(Post("Content-Length: 11\r\n"), limits).refused_with, 413);
    EXPECT_EQ(FeedAllWays(Chunked("5\r\nhello\r\n5\r\nhello\r\n0\r\n\r\n"), limits).requests.size(),
              1u);
    EXPECT_EQ(FeedAllWays(Chunked("5\r\nhello\r\n6\r\nhello!\r\n0\r\n\r\n"), limits).refused_with,
              413);
}

TEST(RequestParser, BoundsChunkExtensionsOverTheWholeBody) {
    std::string body;
    for (int i = 0; i < 20; ++i) body += "1;" + std::string(900, 'e') + "\r\nx\r\n";
    EXPECT_EQ(FeedAllWays(Chunked(body)).refused_with, 400);
}

TEST(RequestParser, SaysWhetherARequestHasBegun) {
    RequestParser parser({});
    Request request;
    std::string_view nothing;
    EXPECT_EQ(parser.Parse(nothing, request), Status::kNeedMore);
    EXPECT_FALSE(parser.started());
    std::string_view some = "G";
    EXPECT_EQ(parser.Parse(some, request), Status::kNeedMore);
    EXPECT_TRUE(parser.started());
}

TEST(RequestParser, StaysRefused) {
    RequestParser parser({});
    Request request;
    std::string_view bad = "bad\r\n";
    EXPECT_EQ(parser.Parse(bad, request), Status::kRefused);
    std::string_view good = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    EXPECT_EQ(parser.Parse(good, request), Status::kRefused);
}

TEST(RequestParser, KeepsBytesOfEveryValueInABody) {
    std::string body;
    for (int i = 0; i < 256; ++i) body.push_back(static_cast<char>(i));
    const Parsed parsed = FeedAllWays(Post("Content-Length: 256\r\n", body));
    ASSERT_EQ(parsed.requests.size(), 1u);
    EXPECT_THAT(parsed.requests[0], ::testing::HasSubstr("{" + body + "}"));
}

}  // namespace
}  // namespace aim::http
