// Streams, clients that leave, readers that do not read.
#include "tests/unit/core/http/asio/server_fixture.hpp"

namespace aim::http {
namespace {

class StreamingTest : public ServerFixture {};

TEST_F(StreamingTest, StreamsInChunksAndKeepsTheConnection) {
    StartServer();
    RawClient client(port());
    for (int i = 0; i < 2; ++i) {
        const RawResponse response = client.Ask(GetRequest("/count?n=5"));
        EXPECT_EQ(response.Header("Transfer-Encoding"), "chunked");
        EXPECT_EQ(response.Header("Content-Length"), "");
        EXPECT_EQ(response.body, "1;2;3;4;5;");
        EXPECT_TRUE(response.complete);
    }
}

TEST_F(StreamingTest, Http10StreamsUntilTheEnd) {
    StartServer();
    RawClient client(port());
    const RawResponse response =
        client.Ask("GET /count?n=3 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(response.Header("Transfer-Encoding"), "");
    EXPECT_EQ(response.Header("Connection"), "close");
    EXPECT_EQ(response.body, "1;2;3;");
    EXPECT_TRUE(client.Closes());
}

TEST_F(StreamingTest, AnAbortedStreamLacksItsEnd) {
    StartServer();
    for (const auto* path : {"/abort", "/throw-midway"}) {
        RawClient client(port());
        const RawResponse response = client.Ask(GetRequest(path));
        EXPECT_EQ(response.status, 200);
        EXPECT_FALSE(response.complete) << path;
        EXPECT_EQ(response.body, path == std::string("/abort") ? "last words" : "begun")
            << "what was written before arrives";
        EXPECT_TRUE(client.Closes());
    }
}

TEST_F(StreamingTest, AClientThatClosesIsNoticedWhileItsHandlerWaits) {
    StartServer();
    for (int way = 0; way < 3; ++way) {
        RawClient client(port());
        client.Send(way == 1 ? PostRequest("/wait", "x") : GetRequest("/wait"));
        ASSERT_TRUE(Eventually([&] { return room_->waiting == way + 1; }));
        if (way == 2) {
            client.Reset();
        } else {
            client.Close();
        }
        EXPECT_TRUE(Eventually([&] { return room_->returned == way + 1; }));
        EXPECT_EQ(last_reason(), Cancellation::Reason::kClientLeft);
    }
    EXPECT_EQ(server_->Totals().clients_left, 3u);
    EXPECT_TRUE(Eventually([&] { return server_->Totals().connections_open == 0; }));
}

TEST_F(StreamingTest, AClientThatClosesItsHalfHasLeft) {
    StartServer();
    RawClient client(port());
    client.Send(GetRequest("/wait"));
    client.HalfClose();
    EXPECT_TRUE(Eventually([&] { return room_->returned == 1; }));
    EXPECT_EQ(last_reason(), Cancellation::Reason::kClientLeft);
    EXPECT_EQ(client.ReadSome(1), "");
}

TEST_F(StreamingTest, AClientThatLeavesAfterPipeliningIsNoticed) {
    StartServer();
    RawClient client(port());
    client.Send(GetRequest("/wait") + GetRequest("/hello") + "GET /he");
    ASSERT_TRUE(Eventually([&] { return room_->waiting == 1; }));
    client.Close();
    EXPECT_TRUE(Eventually([&] { return room_->returned == 1; }));
    EXPECT_EQ(last_reason(), Cancellation::Reason::kClientLeft);
}

TEST_F(StreamingTest, PipelinedBytesDoNotHideThatAClientLeaves) {
    StartServer();
    RawClient client(port());
    client.Send(GetRequest("/wait"));
    ASSERT_TRUE(Eventually([&] { return room_->waiting == 1; }));
    client.Send(GetRequest("/hello"));
    client.Close();
    EXPECT_TRUE(Eventually([&] { return room_->returned == 1; }));
    EXPECT_EQ(last_reason(), Cancellation::Reason::kClientLeft);
}

TEST_F(StreamingTest, AClientIsWatchedAgainOnceItsPipelineHasRoom) {
    StartServer({}, 1);
    RawClient client(port());
    client.Send(GetRequest("/wait"));
    ASSERT_TRUE(Eventually([&] { return room_->waiting == 1; }));
    // More than is kept, so that the server stops watching until it has worked some of it off.
    std::string requests;
    while (requests.size() < 60'000) requests += GetRequest("/hello");
    requests += GetRequest("/wait");
    while (requests.size() < 80'000) requests += GetRequest("/hello");
    client.Send(requests);
    // The one loop has taken what it wants of them when it has served others that came later.
    RawClient other(port());
    for (int i = 0; i < 10; ++i) EXPECT_EQ(other.Ask(GetRequest("/hello")).body, "hello");
    room_->release = 1;
    ASSERT_TRUE(Eventually([&] { return room_->waiting == 2; }));
    client.Close();
    EXPECT_TRUE(Eventually([&] { return room_->returned == 2; }));
    EXPECT_EQ(last_reason(), Cancellation::Reason::kClientLeft);
}

TEST_F(StreamingTest, AnAnsweredRequestWithItsEndBehindIsStillAnswered) {
    StartServer();
    RawClient client(port());
    client.Send(PostRequest("/echo", "a") + PostRequest("/echo", "b"));
    client.HalfClose();
    EXPECT_EQ(client.Read().body, "a");
    EXPECT_EQ(client.Read().body, "b");
    EXPECT_TRUE(client.Closes());
}

TEST_F(StreamingTest, AReaderWhoDoesNotReadStopsTheWriter) {
    StartServer();
    RawClient client(port(), 16 * 1024);
    client.Send(GetRequest("/flood"));
    ASSERT_TRUE(Eventually([&] { return room_->flooded > 0; }));
    // It stops when the sockets are full: nothing more for a while means that Write() is suspended.
    std::uint64_t seen = 0;
    int still = 0;
    ASSERT_TRUE(Eventually([&] {
        const std::uint64_t now = room_->flooded;
        still = now == seen ? still + 1 : 0;
        seen = now;
        return still > 100;
    }));
    EXPECT_LT(seen, 32u * 1024 * 1024);
    EXPECT_EQ(room_->returned, 0);
    // Other connections of the same loops are served meanwhile.
    for (int i = 0; i < 8; ++i) {
        RawClient other(port());
        EXPECT_EQ(other.Ask(GetRequest("/hello")).body, "hello");
    }
    // Who reads again gets more.
    client.ReadSome(static_cast<std::size_t>(seen) + 1'000'000);
    EXPECT_TRUE(Eventually([&] { return room_->flooded > seen; }));
    client.Close();
    EXPECT_TRUE(Eventually([&] { return room_->returned == 1; }));
}

TEST_F(StreamingTest, AReaderWhoNeverReadsIsGivenUp) {
    ServerOptions options;
    options.write_stall = std::chrono::milliseconds(100);
    StartServer(options);
    RawClient client(port(), 16 * 1024);
    client.Send(GetRequest("/flood"));
    EXPECT_TRUE(Eventually([&] { return room_->returned == 1; }));
    EXPECT_TRUE(Eventually([&] { return server_->Totals().write_stalled == 1; }));
    EXPECT_TRUE(Eventually([&] { return server_->Totals().connections_open == 0; }));
}

TEST_F(StreamingTest, ALargePlainAnswerSurvivesASlowReader) {
    StartServer();
    RawClient client(port(), 16 * 1024);
    client.Send(GetRequest("/big?bytes=20000000") + GetRequest("/hello"));
    ASSERT_TRUE(Eventually([&] { return server_->Totals().requests_in_flight == 1; }));
    const RawResponse response = client.Read();
    EXPECT_EQ(response.body.size(), 20'000'000u);
    EXPECT_TRUE(response.complete);
    EXPECT_EQ(client.Read().body, "hello");
}

}  // namespace
}  // namespace aim::http
