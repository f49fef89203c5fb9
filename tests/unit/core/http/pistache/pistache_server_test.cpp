#include <signal.h>

#include "tests/unit/core/http/pistache/test_server.hpp"

namespace aim::http::pistache {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_F(PistacheServerTest, AnswersWithLengthDateAndType) {
    Start();
    const test::HttpAnswer answer = Client().Get("/hello");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "{\"hello\":1}");
    EXPECT_EQ(answer.Header("Content-Type"), "application/json");
    EXPECT_EQ(answer.Header("Content-Length"), "11");
    EXPECT_TRUE(answer.Header("Date").ends_with(" GMT")) << answer.Header("Date");
}

TEST_F(PistacheServerTest, UnknownPathMethodAndWordGetTheEnvelope) {
    Start();
    test::HttpTestClient client = Client();
    EXPECT_EQ(client.Get("/nothing").status, 404);
    EXPECT_NE(client.Get("/nothing").body.find("\"error_code\":\"not_found\""), std::string::npos);
    const test::HttpAnswer wrong_method = client.Request("DELETE", "/hello");
    EXPECT_EQ(wrong_method.status, 405);
    EXPECT_NE(wrong_method.Header("Allow").find("GET"), std::string::npos);
    EXPECT_EQ(client.Request("BREW", "/hello").status, 405);
    EXPECT_EQ(client.Request("BREW", "/nothing").status, 404);
    EXPECT_EQ(client.connections(), 1);
}

TEST_F(PistacheServerTest, AnExceptionInAHandlerIsA500AndTheConnectionLives) {
    Start();
    test::HttpTestClient client = Client();
    for (const char* path : {"/throw", "/throw-other", "/throw"}) {
        const test::HttpAnswer answer = client.Get(path);
        EXPECT_EQ(answer.status, 500);
        EXPECT_NE(answer.body.find("\"error_code\":\"internal\""), std::string::npos);
        EXPECT_EQ(answer.body.find("secret"), std::string::npos);
    }
    EXPECT_EQ(client.Get("/hello").status, 200);
    EXPECT_EQ(client.connections(), 1);
    EXPECT_EQ(logger_.errors.load(), 3);
}

TEST_F(PistacheServerTest, AStreamHandlerIsNotForThisServer) {
    Start();
    EXPECT_EQ(Client().Get("/stream").status, 501);
}

TEST_F(PistacheServerTest, HeadHasTheLengthButNoBody) {
    Start();
    test::HttpTestClient client = Client();
    const test::HttpAnswer head = client.Request("HEAD", "/hello");
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.Header("Content-Length"), "11");
    EXPECT_EQ(client.Get("/hello").body, "{\"hello\":1}");  // nothing of a body was in between
    EXPECT_EQ(client.connections(), 1);
}

TEST_F(PistacheServerTest, StatusesWithoutBodyHaveNoLength) {
    Start();
    test::HttpTestClient client = Client();
    for (const char* status : {"204", "304"}) {
        const test::HttpAnswer answer = client.Get(std::string("/empty/") + status);
        EXPECT_EQ(std::to_string(answer.status), status);
        EXPECT_EQ(answer.Header("Content-Length"), "");
    }
    EXPECT_EQ(client.Get("/hello").status, 200);
    EXPECT_EQ(client.connections(), 1);
}

TEST_F(PistacheServerTest, Http10ClosesUnlessAsked) {
    Start();
    test::HttpTestClient client = Client();
    client.Send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    auto answer = client.ReadAnswer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->Header("Connection"), "keep-alive");
    client.Send("GET /hello HTTP/1.0\r\n\r\n");
    answer = client.ReadAnswer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->Header("Connection"), "close");
    EXPECT_TRUE(client.WaitForClose(seconds(5)));
}

TEST_F(PistacheServerTest, ARequestMayComeByteByByte) {
    Start();
    test::HttpTestClient client = Client();
    for (const char byte :
         std::string("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde"))
        ASSERT_TRUE(client.Send({&byte, 1}));
    const auto answer = client.ReadAnswer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body, "abcde");
}

TEST_F(PistacheServerTest, AnIdleConnectionIsClosed) {
    options_.idle_timeout = milliseconds(100);
    Start();
    test::HttpTestClient client = Client();
    EXPECT_EQ(client.Get("/hello").status, 200);
    EXPECT_TRUE(client.WaitForClose(seconds(10)));
    EXPECT_TRUE(Eventually([this] { return server_->open_connections() == 0; }));
}

TEST_F(PistacheServerTest, ARequestThatStopsHalfWayGets408) {
    options_.receive_timeout = milliseconds(100);
    Start();
    test::HttpTestClient client = Client();
    client.Send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nhalf");
    const auto answer = client.ReadAnswer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 408);
    EXPECT_NE(answer->body.find("request_timeout"), std::string::npos);
    EXPECT_TRUE(client.WaitForClose(seconds(10)));
}

TEST_F(PistacheServerTest, ConnectionsOverTheLimitAreClosed) {
    options_.max_connections = 2;
    Start();
    test::HttpTestClient first = Client();
    test::HttpTestClient second = Client();
    EXPECT_EQ(first.Get("/hello").status, 200);
    EXPECT_EQ(second.Get("/hello").status, 200);
    test::HttpTestClient third = Client();
    ASSERT_TRUE(third.Connect());
    EXPECT_TRUE(third.WaitForClose(seconds(5)));
    first.Close();
    EXPECT_TRUE(Eventually([this] { return server_->open_connections() < 2; }));
    EXPECT_EQ(third.Get("/hello").status, 200);
}

TEST_F(PistacheServerTest, DrainingClosesIdleConnectionsAndEndsBusyOnes) {
    Start();
    test::HttpTestClient busy = Client();
    busy.Send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_TRUE(Eventually([this] { return waiting_.load() == 1; }));
    server_->BeginDrain();
    released_ = true;
    const auto answer = busy.ReadAnswer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->Header("Connection"), "close");
    // New connections are still served.
    EXPECT_EQ(Client().Get("/hello").Header("Connection"), "close");
    test::HttpTestClient idle = Client();
    ASSERT_TRUE(idle.Connect());
    EXPECT_TRUE(idle.WaitForClose(seconds(10)));
    EXPECT_TRUE(busy.WaitForClose(seconds(10)));
    busy.Close();
    idle.Close();
    EXPECT_TRUE(Eventually([this] { return server_->open_connections() == 0; }));
}

TEST_F(PistacheServerTest, StopClosesConnectionsAndMayBeRepeated) {
    Start();
    test::HttpTestClient client = Client();
    EXPECT_EQ(client.Get("/hello").status, 200);
    server_->Stop();
    EXPECT_TRUE(client.WaitForClose(seconds(5)));
    server_->Stop();
    EXPECT_EQ(server_->open_connections(), 0U);
    // The port is free again.
    options_.port = server_->port();
    Start();
    EXPECT_EQ(Client().Get("/hello").status, 200);
}

TEST_F(PistacheServerTest, ATakenPortIsAnError) {
    Start();
    ServerOptions same = options_;
    same.port = server_->port();
    PistacheServer second(same, router_, chain_, logger_);
    const auto started = second.Start();
    ASSERT_FALSE(started);
    EXPECT_NE(started.error().message.find("cannot listen"), std::string::npos);
}

TEST_F(PistacheServerTest, SignalsDoNotReachItsThreads) {
    Start();
    struct sigaction ignore {};
    ignore.sa_handler = [](int) {};
    struct sigaction before {};
    sigaction(SIGUSR1, &ignore, &before);
    for (int i = 0; i < 100; ++i) ::kill(::getpid(), SIGUSR1);
    EXPECT_EQ(Client().Get("/hello").status, 200);
    sigaction(SIGUSR1, &before, nullptr);
}

}  // namespace
}  // namespace aim::http::pistache
