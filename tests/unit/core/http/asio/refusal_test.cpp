// What the server refuses by itself: every form answered, then closed, and the server goes on.
#include "tests/unit/core/http/asio/server_fixture.hpp"

namespace aim::http {
namespace {

using ::testing::HasSubstr;
using std::string_literals::operator""s;

struct Refused {
    std::string name;
    std::string request;
    int status;
    std::string code;
};

class RefusalTable : public ServerFixture, public ::testing::WithParamInterface<Refused> {};

TEST_P(RefusalTable, IsAnsweredAndClosedHoweverItIsCut) {
    StartServer({}, 1);
    const Refused& refused = GetParam();
    for (const bool whole : {true, false}) {
        RawClient client(port());
        // A smuggled request behind it must never be answered.
        const std::string bytes = refused.request + GetRequest("/hello");
        whole ? client.Send(bytes) : client.SendByteByByte(bytes);
        const RawResponse response = client.Read();
        EXPECT_EQ(response.status, refused.status);
        EXPECT_EQ(response.Header("Connection"), "close");
        EXPECT_THAT(response.body, HasSubstr("\"" + refused.code + "\""));
        EXPECT_TRUE(response.complete);
        EXPECT_EQ(client.ReadSome(1), "") << "nothing follows a refusal";
    }
    EXPECT_EQ(room_->echoes, 0);
    EXPECT_EQ(server_->Totals().requests_refused, 2u);
    RawClient client(port());
    EXPECT_EQ(client.Ask(GetRequest("/hello")).body, "hello");
}

std::string Echo(std::string_view fields, std::string_view body = "") {
    return "POST /echo HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

INSTANTIATE_TEST_SUITE_P(
    Table, RefusalTable,
    ::testing::Values(
        Refused{"LengthAndCoding",
                Echo("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400,
                "invalid_request"},
        Refused{"DifferingLengths", Echo("Content-Length: 0\r\nContent-Length: 40\r\n"), 400,
                "invalid_request"},
        Refused{"EqualLengths", Echo("Content-Length: 0\r\nContent-Length: 0\r\n"), 400,
                "invalid_request"},
        Refused{"LengthPlus", Echo("Content-Length: +0\r\n"), 400, "invalid_request"},
        Refused{"LengthNegative", Echo("Content-Length: -1\r\n"), 400, "invalid_request"},
        Refused{"LengthWord", Echo("Content-Length: abc\r\n"), 400, "invalid_request"},
        Refused{"LengthOverflow", Echo("Content-Length: 18446744073709551616\r\n"), 400,
                "invalid_request"},
        Refused{"CodingGzip", Echo("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 400,
                "invalid_request"},
        Refused{"CodingInHttp10",
                "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
                "invalid_request"},
        Refused{"Folded", Echo("X-A: b\r\n Content-Length: 4\r\n"), 400, "invalid_request"},
        Refused{"BlankBeforeColon", Echo("Content-Length : 0\r\n"), 400, "invalid_request"},
        Refused{"BareNewline", "GET /hello HTTP/1.1\nHost: a\n\n", 400, "invalid_request"},
        Refused{"NulInHeader", Echo("X: a\0b\r\n"s), 400, "invalid_request"},
        Refused{"NoHost", "GET /hello HTTP/1.1\r\n\r\n", 400, "invalid_request"},
        Refused{"TwoHosts", "GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400,
                "invalid_request"},
        Refused{"BadChunk", Echo("Transfer-Encoding: chunked\r\n", "zz\r\n"), 400,
                "invalid_request"},
        Refused{"Garbage", "\x16\x03\x01\x02\x00\n"s, 400, "invalid_request"},
        Refused{"LongTarget", "GET /" + std::string(65'600, 'x') + " HTTP/1.1\r\n", 431,
                "head_too_large"},
        Refused{"LongHeader", Echo("X: " + std::string(65'600, 'x') + "\r\n"), 431,
                "head_too_large"},
        Refused{"LargeBody", Echo("Content-Length: 33554433\r\n"), 413, "body_too_large"},
        Refused{"LargeChunk", Echo("Transfer-Encoding: chunked\r\n", "2000001\r\n"), 413,
                "body_too_large"}),
    [](const auto& instance) { return instance.param.name; });

class RefusalTest : public ServerFixture {};

TEST_F(RefusalTest, ATooLargeBodyIsRefusedInTheCallersProtocol) {
    StartServer();
    RawClient client(port());
    const RawResponse response =
        client.Ask("POST /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n");
    EXPECT_EQ(response.status, 413);
    EXPECT_THAT(response.body, HasSubstr(R"("type":"invalid_request_error")"));
    EXPECT_THAT(response.body, HasSubstr(R"("code":"body_too_large")"));
}

TEST_F(RefusalTest, ABodyUpToTheLimitPasses) {
    ServerOptions options;
    options.request.body_bytes = 1000;
    StartServer(options);
    RawClient client(port());
    EXPECT_EQ(client.Ask(PostRequest("/echo", std::string(1000, 'x'))).status, 200);
    EXPECT_EQ(client.Ask(PostRequest("/echo", std::string(1001, 'x'))).status, 413);
}

TEST_F(RefusalTest, WhoGoesOnSendingCanStillReadTheAnswer) {
    StartServer();
    RawClient client(port());
    // Everything is sent before anything is read: without the lingering close a reset would destroy
    // the answer.
    const std::string body(40'000'000, 'x');
    ASSERT_TRUE(client.Send(PostRequest("/echo", body)));
    client.HalfClose();
    const RawResponse response = client.Read();
    EXPECT_EQ(response.status, 413);
    EXPECT_TRUE(response.complete);
    EXPECT_TRUE(client.Closes());
    EXPECT_TRUE(Eventually([&] { return server_->Totals().connections_open == 0; }));
}

TEST_F(RefusalTest, LingeringEndsWithItsTime) {
    ServerOptions options;
    options.linger_timeout = std::chrono::milliseconds(50);
    StartServer(options);
    RawClient client(port());
    EXPECT_EQ(client.Ask("bad\r\n").status, 400);
    // The client keeps its side open; the server does not wait for it.
    EXPECT_TRUE(Eventually([&] { return server_->Totals().connections_open == 0; }));
}

TEST_F(RefusalTest, LingeringEndsWithItsBytes) {
    ServerOptions options;
    options.linger_bytes = 100'000;
    options.linger_timeout = std::chrono::minutes(10);
    StartServer(options);
    RawClient client(port());
    EXPECT_EQ(client.Ask("bad\r\n").status, 400);
    const std::string more(1'000'000, 'x');
    for (int i = 0; i < 50 && client.Send(more); ++i) {
    }
    EXPECT_TRUE(Eventually([&] { return server_->Totals().connections_open == 0; }));
}

}  // namespace
}  // namespace aim::http
