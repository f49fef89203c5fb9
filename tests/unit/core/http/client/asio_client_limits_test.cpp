// How exchanges end otherwise: nobody there, limits, large bodies both ways, cancellation.
#include <atomic>
#include <functional>
#include <future>

#include <gmock/gmock.h>

#include "core/http/client/asio_client.hpp"
#include "tests/unit/core/http/client/answer_scripts.hpp"
#include "tests/unit/core/http/client/loop_fixture.hpp"

namespace aim::http::client {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

class AsioClientLimitsTest : public LoopFixture {};

TEST_F(AsioClientLimitsTest, SaysWhenNobodyListens) {
    std::string url;
    {
        RawServer gone(Once(kOk));
        url = gone.Url();
    }
    const Answer answer = Fetch(url);
    ASSERT_TRUE(answer.error);
    EXPECT_EQ(answer.error->kind, ErrorKind::kUpstreamFailure);
    EXPECT_EQ(answer.error->code, "connect_failed");
    EXPECT_EQ(client_->stats().connections_open.Value(), 0);
    EXPECT_EQ(client_->stats().connect_failures.Value(), 1);
}

TEST_F(AsioClientLimitsTest, SaysWhenTheNameIsUnknown) {
    Resolver::Options names;
    names.lookup = [](const std::string&) { return Resolution{{}, "no such name"}; };
    MakeClient({}, names, {});
    const Answer answer = Fetch("http://nowhere.test/");
    ASSERT_TRUE(answer.error);
    EXPECT_EQ(answer.error->kind, ErrorKind::kUpstreamFailure);
    EXPECT_EQ(answer.error->code, "dns_failure");
    EXPECT_THAT(answer.error->message, HasSubstr("no such name"));
}

TEST_F(AsioClientLimitsTest, FindsAServerByNameWhenItsFirstAddressRefuses) {
    Resolver::Options names;
    names.lookup = [](const std::string&) {
        return Resolution{{boost::asio::ip::make_address("127.0.0.2"),
                           boost::asio::ip::make_address("127.0.0.1")},
                          {}};
    };
    MakeClient({}, names, {});
    RawServer server(Always(kOk));
    EXPECT_EQ(Fetch(server.Url("/", "some.test")).body, "hello");
}

TEST_F(AsioClientLimitsTest, TheConnectLimitCoversASilentResolver) {
    std::promise<void> release;
    Resolver::Options names;
    names.lookup = [released = release.get_future().share()](const std::string&) {
        released.wait();
        return Resolution{{}, "late"};
    };
    MakeClient({}, names, {});
    ExchangeLimits limits;
    limits.connect = 30ms;
    const Answer answer = Fetch("http://slow.test/", limits);
    ASSERT_TRUE(answer.error);
    EXPECT_EQ(answer.error->kind, ErrorKind::kUpstreamTimeout);
    EXPECT_EQ(answer.error->code, "connect_timeout");
    release.set_value();
}

TEST_F(AsioClientLimitsTest, TheHeadLimitEndsASilentServer) {
    for (const char* begin : {"", "HTTP/1.1 200 OK\r\nContent-"}) {
        RawServer server([&](RawServer::Peer& peer, int) {
            peer.ReadRequest();
            peer.Write(begin);
            peer.WaitForClose();
        });
        ExchangeLimits limits;
        limits.head = 30ms;
        const Answer answer = Fetch(server.Url(), limits);
        ASSERT_TRUE(answer.error);
        EXPECT_EQ(answer.error->kind, ErrorKind::kUpstreamTimeout);
        EXPECT_EQ(answer.error->code, "head_timeout");
        EXPECT_TRUE(RunUntil([&] { return server.finished() == 1; }))
            << "the connection must be closed";
    }
}

TEST_F(AsioClientLimitsTest, TheHeadLimitEndsAServerThatReadsNothing) {
    std::promise<void> over;
    RawServer server([&](RawServer::Peer&, int) { over.get_future().wait(); });
    ExchangeLimits limits;
    limits.head = 100ms;
    const Answer answer = Fetch(Post(server.Url(), std::string(64u << 20, 'x')), limits);
    over.set_value();
    ASSERT_TRUE(answer.error);
    EXPECT_EQ(answer.error->code, "head_timeout");
}

TEST_F(AsioClientLimitsTest, TheGapLimitEndsAStalledBody) {
    RawServer server([](RawServer::Peer& peer, int) {
        peer.ReadRequest();
        peer.Write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
        peer.WaitForClose();
    });
    ExchangeLimits limits;
    limits.body_gap = 30ms;
    const Answer answer = Fetch(server.Url(), limits);
    ASSERT_TRUE(answer.error);
    EXPECT_TRUE(answer.in_body);
    EXPECT_EQ(answer.body, "hello");
    EXPECT_EQ(answer.error->kind, ErrorKind::kUpstreamTimeout);
    EXPECT_EQ(answer.error->code, "body_timeout");
}

TEST_F(AsioClientLimitsTest, SendsALargeBodyWhole) {
    std::promise<std::string> seen;
    RawServer server([&](RawServer::Peer& peer, int) {
        seen.set_value(peer.ReadRequest());
        peer.Write(kOk);
    });
    std::string body(12u << 20, '\0');
    for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 31 % 251);
    const Answer answer = Fetch(Post(server.Url(), body));
    ASSERT_FALSE(answer.error) << answer.error->message;
    const std::string request = seen.get_future().get();
    EXPECT_TRUE(std::string_view(request).substr(request.find("\r\n\r\n") + 4) == body);
}

TEST_F(AsioClientLimitsTest, ReadsALargeBodyWhole) {
    std::string body(12u << 20, '\0');
    for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 31 % 251);
    RawServer server(Always("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) +
                            "\r\n\r\n" + body));
    for (int i = 0; i < 2; ++i) {
        const Answer answer = Fetch(server.Url());
        ASSERT_FALSE(answer.error) << answer.error->message;
        EXPECT_TRUE(answer.body == body);
    }
    EXPECT_EQ(server.connections(), 1);
}

TEST_F(AsioClientLimitsTest, AnEarlyAnswerEndsTheSendingOfALargeBody) {
    // The server takes no more than it has taken, so that the request cannot be complete.
    std::promise<void> over;
    RawServer server([taken = over.get_future().share()](RawServer::Peer& peer, int) {
        peer.ReadSome(100);
        peer.Write("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig");
        taken.wait();
    });
    const Answer answer = Fetch(Post(server.Url(), std::string(64u << 20, 'x')));
    // The writing half unwinds on a turn of the loop of its own.
    const bool closed = RunUntil([&] { return client_->stats().connections_open.Value() == 0; });
    over.set_value();
    ASSERT_FALSE(answer.error) << answer.error->message;
    EXPECT_EQ(answer.status, 413);
    EXPECT_EQ(answer.body, "big");
    EXPECT_TRUE(closed) << "a half sent request cannot be followed by another";
}

TEST_F(AsioClientLimitsTest, DoesNotReadFasterThanItsReader) {
    std::atomic<std::size_t> sent{0};
    RawServer server([&](RawServer::Peer& peer, int) {
        peer.ReadRequest();
        peer.Write("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n");
        const std::string block(64 * 1024, 'x');
        while (peer.Write(block)) sent += block.size();
    });
    Cancellation cancellation;
    auto exchange = Run(client_->Send(Get(server.Url()), {}, cancellation));
    ASSERT_TRUE(exchange.has_value());
    ASSERT_TRUE(Run((*exchange)->Read()).has_value());
    std::size_t before = 0;
    // Until the sockets' own buffers are full and nothing moves any more.
    ASSERT_TRUE(RunUntil([&] {
        const std::size_t now = sent;
        const bool still = now == before && now > 0;
        before = now;
        std::this_thread::sleep_for(still ? 0ms : 20ms);
        return still;
    }));
    EXPECT_LT(sent.load(), std::size_t{64} << 20);
    exchange->reset();
    EXPECT_TRUE(RunUntil([&] { return server.finished() == 1; }));
}

TEST_F(AsioClientLimitsTest, RefusesARequestThatWouldNotArriveAsMeant) {
    RawServer server(Always(kOk));
    const std::pair<const char*, const char*> kFields[] = {
        {"X-A", "b\r\nInjected: canary"}, {"X A", "b"},          {"Transfer-Encoding", "chunked"},
        {"content-length", "3"},          {"Host", "elsewhere"}, {"X-Nul", "\x01"}};
    for (const auto& [name, value] : kFields) {
        UpstreamRequest request = Get(server.Url());
        request.headers.Add(name, value);
        const Answer answer = Fetch(std::move(request));
        ASSERT_TRUE(answer.error) << name;
        EXPECT_EQ(answer.error->kind, ErrorKind::kInvalidRequest);
        EXPECT_THAT(answer.error->message, Not(HasSubstr("canary")));
    }
    EXPECT_EQ(server.connections(), 0);
}

TEST_F(AsioClientLimitsTest, ConnectionsSurviveAReaderThatStopsBeforeTheEndMark) {
    RawServer server(
        Always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"));
    for (int i = 0; i < 3; ++i) {
        Cancellation cancellation;
        auto exchange = Run(client_->Send(Get(server.Url()), {}, cancellation));
        ASSERT_TRUE(exchange.has_value());
        ASSERT_TRUE(Run((*exchange)->Read()).has_value());
        EXPECT_TRUE((*exchange)->Drain());
    }
    EXPECT_EQ(server.connections(), 1);
}

TEST_F(AsioClientLimitsTest, AnExchangeLeftInTheMiddleClosesItsConnection) {
    RawServer server([](RawServer::Peer& peer, int) {
        peer.ReadRequest();
        peer.Write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello");
        peer.WaitForClose();
    });
    Cancellation cancellation;
    auto exchange = Run(client_->Send(Get(server.Url()), {}, cancellation));
    ASSERT_TRUE(exchange.has_value());
    exchange->reset();
    EXPECT_EQ(client_->stats().connections_open.Value(), 0);
    EXPECT_TRUE(RunUntil([&] { return server.finished() == 1; }));
}

TEST_F(AsioClientLimitsTest, ExchangesEndWithTheirClient) {
    RawServer server([](RawServer::Peer& peer, int) {
        peer.ReadRequest();
        peer.WaitForClose();
    });
    Cancellation cancellation;
    std::optional<Result<std::unique_ptr<UpstreamExchange>>> result;
    Start(client_->Send(Get(server.Url()), {}, cancellation), result);
    ASSERT_TRUE(RunUntil([&] { return server.connections() == 1; }));
    client_.reset();
    ASSERT_TRUE(RunUntil([&] { return result.has_value(); }));
    ASSERT_FALSE(result->has_value());
    EXPECT_EQ(result->error().kind, ErrorKind::kCancelled);
}

// The leak checker and the address sanitizer judge.
TEST_F(AsioClientLimitsTest, AWaitingCoroutineIsFreedWithTheLoop) {
    RawServer server([](RawServer::Peer& peer, int) { peer.WaitForClose(); });
    Cancellation cancellation;
    {
        boost::asio::io_context loop(1);
        TimerQueue timers(loop);
        AsioClient client(loop, timers, resolver_, tls_, {});
        boost::asio::co_spawn(loop, client.Send(Get(server.Url()), {}, cancellation),
                              [](std::exception_ptr, auto) { ADD_FAILURE(); });
        const auto deadline = std::chrono::steady_clock::now() + 10s;
        while (server.connections() == 0 && std::chrono::steady_clock::now() < deadline)
            loop.run_one_for(2ms);
    }
    EXPECT_TRUE(RunUntil([&] { return server.finished() == 1; }));
}

TEST_F(AsioClientLimitsTest, CancellationEndsEveryStageAtOnce) {
    std::promise<void> release;
    Resolver::Options names;
    // By value: the resolver's thread may outlive this function.
    names.lookup = [released = release.get_future().share()](const std::string& name) {
        if (name == "slow.test") released.wait();
        return Resolution{{boost::asio::ip::make_address("127.0.0.1")}, {}};
    };
    MakeClient({}, names, {});
    RawServer silent([](RawServer::Peer& peer, int) { peer.WaitForClose(); });
    RawServer stalled([](RawServer::Peer& peer, int) {
        peer.ReadRequest();
        peer.Write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
        peer.WaitForClose();
    });
    struct Case {
        const char* name;
        std::string url;
        std::function<bool()> reached;
    };
    const Case kCases[] = {
        {"resolving", "http://slow.test/", [&] { return resolver_->stats().lookups.load() == 1; }},
        {"waiting for the head", silent.Url(), [&] { return silent.connections() == 1; }},
        {"handshake", "https://127.0.0.1:" + std::to_string(silent.port()) + "/",
         [&] { return silent.connections() == 2; }},
        {"waiting for the body", stalled.Url(), [&] { return stalled.connections() == 1; }},
    };
    for (const Case& stage : kCases) {
        SCOPED_TRACE(stage.name);
        Cancellation cancellation;
        std::optional<Answer> answer;
        Start(Fetch(Get(stage.url), {}, cancellation), answer);
        ASSERT_TRUE(RunUntil(stage.reached));
        RunUntil([] { return false; }, 20ms);
        ASSERT_FALSE(answer);
        cancellation.Cancel(Cancellation::Reason::kClientLeft);
        loop_.restart();
        loop_.poll();
        ASSERT_TRUE(answer) << "the same turn of the loop";
        ASSERT_TRUE(answer->error);
        EXPECT_EQ(answer->error->kind, ErrorKind::kCancelled);
        EXPECT_EQ(client_->stats().connections_open.Value(), 0);
    }
    release.set_value();
    Cancellation before;
    before.Cancel(Cancellation::Reason::kDeadline);
    EXPECT_EQ(Run(Fetch(Get(silent.Url()), {}, before)).error->kind, ErrorKind::kCancelled);
    EXPECT_TRUE(RunUntil([&] { return silent.finished() == 2 && stalled.finished() == 1; }));
}

}  // namespace
}  // namespace aim::http::client
