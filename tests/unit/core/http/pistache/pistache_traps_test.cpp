// One test for each thing that Pistache 0.0.5 is known to do and that would hurt us: each shows
// that we are not caught by it.

#include <memory>
#include <set>
#include <vector>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/core/http/pistache/test_server.hpp"

namespace aim::http::pistache {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_F(PistacheServerTest, KeepsTheConnectionWithoutBeingAsked) {
    Start();
    test::HttpTestClient client = Client();
    for (int i = 0; i < 20; ++i) {
        const test::HttpAnswer answer = client.Get("/hello");
        ASSERT_EQ(answer.status, 200);
        EXPECT_EQ(answer.Header("Connection"), "keep-alive");
    }
    EXPECT_EQ(client.connections(), 1);
}

TEST_F(PistacheServerTest, TimeLimitsDoNotCutARequestThatAHandlerWorksOn) {
    options_.idle_timeout = milliseconds(50);
    options_.receive_timeout = milliseconds(50);
    Start();
    test::HttpTestClient client = Client();
    client.Send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_TRUE(Eventually([this] { return waiting_.load() == 1; }));
    // Far beyond both limits; the other reactor's scan, and ours, have run many times.
    const auto until = std::chrono::steady_clock::now() + milliseconds(600);
    ASSERT_TRUE(Eventually([&] { return std::chrono::steady_clock::now() >= until; }));
    released_ = true;
    const auto answer = client.ReadAnswer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, "waited");
}

TEST_F(PistacheServerTest, PipelinedRequestsAreAllAnsweredInOrder) {
    Start();
    test::HttpTestClient client = Client();
    std::string requests;
    for (int i = 0; i < 200; ++i) {
        const std::string body = "number " + std::to_string(i);
        requests +=
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
            "\r\n\r\n" + body;
    }
    ASSERT_TRUE(client.Send(requests));
    for (int i = 0; i < 200; ++i) {
        const auto answer = client.ReadAnswer();
        ASSERT_TRUE(answer) << i;
        EXPECT_EQ(answer->body, "number " + std::to_string(i));
    }
}

TEST_F(PistacheServerTest, ExpectContinueIsAnsweredBeforeTheBody) {
    Start();
    test::HttpTestClient client = Client();
    client.Send(
        "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    const auto interim = client.ReadAnswer();
    ASSERT_TRUE(interim);
    EXPECT_EQ(interim->status, 100);
    client.Send("abc");
    const auto answer = client.ReadAnswer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, "abc");
    // A body that is too large is refused without being asked for.
    client.Send(
        "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: "
        "99999999\r\n\r\n");
    const auto refused = client.ReadAnswer();
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->status, 413);
}

TEST_F(PistacheServerTest, BadLengthsAndSmugglingFormsAreRefused) {
    Start();
    const std::vector<std::string> heads = {
        "Content-Length: abc\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 0x10\r\n",
        "Content-Length: 3, 3\r\n",
        "Content-Length: 3\r\nContent-Length: 3\r\n",
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Content-Length : 3\r\n",
        "Content-Length: 3\n",
    };
    for (const std::string& head : heads) {
        test::HttpTestClient client = Client();
        client.Send("POST /echo HTTP/1.1\r\nHost: a\r\n" + head + "\r\nabc");
        const auto answer = client.ReadAnswer();
        ASSERT_TRUE(answer) << head;
        EXPECT_GE(answer->status, 400) << head;
        EXPECT_LT(answer->status, 502) << head;
        EXPECT_NE(answer->body.find("\"error_code\""), std::string::npos) << head;
        EXPECT_EQ(answer->Header("Connection"), "close") << head;
    }
    EXPECT_EQ(Client().Get("/hello").status, 200);
}

TEST_F(PistacheServerTest, ChunkedBodiesAreRead) {
    Start();
    test::HttpTestClient client = Client();
    client.Send(
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
        "chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: t\r\n\r\n");
    const auto answer = client.ReadAnswer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body, "abcdefg");
}

TEST_F(PistacheServerTest, TheLimitOfABodyIsExact) {
    options_.max_body_bytes = 100000;
    Start();
    test::HttpTestClient client = Client();
    EXPECT_EQ(client.Post("/echo", std::string(100000, 'a')).body.size(), 100000U);
    const test::HttpAnswer answer = client.Post("/echo", std::string(100001, 'a'));
    EXPECT_EQ(answer.status, 413);
    EXPECT_NE(answer.body.find("\"error_code\":\"body_too_large\""), std::string::npos);
}

// Without the lingering close the unread rest would reset the connection, and the client would
// never read why.
TEST_F(PistacheServerTest, AClientThatSendsFarTooMuchCanReadItsRefusal) {
    Start();
    for (const bool chunked : {false, true}) {
        test::HttpTestClient client = Client();
        ASSERT_TRUE(client.Send(
            "POST /echo HTTP/1.1\r\nHost: a\r\n" +
            std::string(chunked ? "Transfer-Encoding: chunked" : "Content-Length: 41943040") +
            "\r\n\r\n"));
        const std::string piece(1024 * 1024, 'a');
        for (int i = 0; i < 40; ++i)
            ASSERT_TRUE(client.Send(chunked ? "100000\r\n" + piece + "\r\n" : piece)) << i;
        const auto answer = client.ReadAnswer();
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->status, 413);
    }
}

TEST_F(PistacheServerTest, AMalformedRequestLineGets400) {
    Start();
    for (const char* line :
         {"GARBAGE\r\n\r\n", "GET  /hello HTTP/1.1\r\nHost: a\r\n\r\n",
          "GET /hello HTTP/9.9\r\nHost: a\r\n\r\n", "\x16\x03\x01\x02\r\n\r\n"}) {
        test::HttpTestClient client = Client();
        client.Send(line);
        const auto answer = client.ReadAnswer();
        ASSERT_TRUE(answer) << line;
        EXPECT_GE(answer->status, 400) << line;
        EXPECT_NE(answer->status, 500) << line;
    }
    EXPECT_EQ(Client().Get("/hello").status, 200);
}

TEST_F(PistacheServerTest, QueryAndPathAreDecodedByUs) {
    Start();
    test::HttpTestClient client = Client();
    EXPECT_EQ(client.Get("/query?q=first&q=second").body, "first");
    EXPECT_EQ(client.Get("/query?q=a%20b%2Bc+d").body, "a b+c d");
    EXPECT_EQ(client.Get("/query?other=1").body, "(none)");
    EXPECT_EQ(client.Get("/path/a%20b").body, "a b");
}

// Writes are addressed by socket number in Pistache: a client that leaves must never cost another
// client, with the same number, its own answer.
TEST_F(PistacheServerTest, NobodyGetsTheAnswerOfAClientThatLeft) {
    Start();
    for (int i = 0; i < 200; ++i) {
        {
            test::HttpTestClient leaver = Client();
            leaver.Send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\nforeign");
        }  // gone before the answer
        const std::string mine = "mine " + std::to_string(i);
        test::HttpTestClient next = Client();
        const test::HttpAnswer answer = next.Post("/echo", mine);
        ASSERT_EQ(answer.status, 200);
        ASSERT_EQ(answer.body, mine);
    }
    EXPECT_TRUE(Eventually([this] { return server_->open_connections() == 0; }));
}

TEST_F(PistacheServerTest, AClientThatLeavesWhileAHandlerWorksIsForgotten) {
    Start();
    {
        test::HttpTestClient client = Client();
        client.Send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
        ASSERT_TRUE(Eventually([this] { return waiting_.load() == 1; }));
    }
    released_ = true;
    EXPECT_TRUE(Eventually([this] { return server_->open_connections() == 0; }));
    EXPECT_EQ(Client().Get("/hello").status, 200);
}

TEST_F(PistacheServerTest, AReaderThatDoesNotReadIsGivenUp) {
    options_.threads = 1;
    options_.write_timeout = milliseconds(200);
    Start();
    test::HttpTestClient stuck = Client();
    stuck.Send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    // The only thread is free again after the limit, and the connection is gone.
    EXPECT_EQ(Client().Get("/hello").status, 200);
    EXPECT_TRUE(Eventually([this] { return server_->open_connections() <= 1; }));
    EXPECT_FALSE(stuck.ReadAnswer());
}

TEST_F(PistacheServerTest, ALargeAnswerArrivesWhole) {
    Start();
    test::HttpTestClient client = Client();
    for (int i = 0; i < 3; ++i) {
        const test::HttpAnswer answer = client.Get("/large");
        EXPECT_EQ(answer.body.size(), 32U * 1024 * 1024);
        EXPECT_EQ(answer.body.find_first_not_of('x'), std::string::npos);
    }
    EXPECT_EQ(client.connections(), 1);
}

// Handlers run on reactor threads that Pistache clones its handler objects for: what they share
// must really be shared.
TEST_F(PistacheServerTest, HandlersOfAllThreadsShareTheirState) {
    std::atomic<int> calls{0};
    std::mutex mutex;
    std::set<std::thread::id> threads;
    router_.Add(Method::kGet, "/count", [&](const Request&, const PathParameters&) {
        {
            const std::lock_guard lock(mutex);
            threads.insert(std::this_thread::get_id());
        }
        return Response::Text(200, "text/plain", std::to_string(++calls));
    });
    Start();
    std::vector<std::thread> clients;
    for (int c = 0; c < 16; ++c) {
        clients.emplace_back([this] {
            test::HttpTestClient client = Client();
            for (int i = 0; i < 50; ++i) EXPECT_EQ(client.Get("/count").status, 200);
        });
    }
    for (std::thread& client : clients) client.join();
    EXPECT_EQ(calls.load(), 16 * 50);
    // A connection's number chooses its thread, and those of the server's ends may all have been
    // odd. What is kept open here makes the next one even.
    std::vector<std::unique_ptr<test::HttpTestClient>> kept;
    std::vector<int> descriptors;
    const auto threads_seen = [&] {
        const std::lock_guard lock(mutex);
        return threads.size();
    };
    while (threads_seen() < 2 && kept.size() < 64) {
        kept.push_back(std::make_unique<test::HttpTestClient>(Client()));
        EXPECT_EQ(kept.back()->Get("/count").status, 200);
        descriptors.push_back(::dup(STDERR_FILENO));
    }
    for (const int descriptor : descriptors) ::close(descriptor);
    EXPECT_EQ(threads_seen(), 2U);
}

TEST_F(PistacheServerTest, NagleIsOff) {
    Start();
    test::HttpTestClient client = Client();
    EXPECT_EQ(client.Get("/hello").status, 200);
    int seen = 0;
    // The server's ends of its connections are sockets of this process with the server's port.
    for (int descriptor = 3; descriptor < 1024; ++descriptor) {
        sockaddr_in local{};
        sockaddr_in remote{};
        socklen_t size = sizeof local;
        socklen_t remote_size = sizeof remote;
        if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&local), &size) != 0 ||
            local.sin_family != AF_INET)
            continue;
        if (ntohs(local.sin_port) != server_->port()) continue;
        if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&remote), &remote_size) != 0)
            continue;
        int no_delay = 0;
        socklen_t option_size = sizeof no_delay;
        ASSERT_EQ(::getsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &no_delay, &option_size), 0);
        EXPECT_NE(no_delay, 0);
        ++seen;
    }
    EXPECT_EQ(seen, 1);
}

}  // namespace
}  // namespace aim::http::pistache
