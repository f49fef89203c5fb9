#include "core/http/client/asio_client.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <future>

#include <gmock/gmock.h>

#include "tests/support/raw_server.hpp"
#include "tests/unit/core/http/client/loop_fixture.hpp"

namespace aim::http::client {
namespace {

using namespace std::chrono_literals;
using ::aim::testing::RawServer;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kOk =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello";

// Answers every request of a connection with the same bytes.
RawServer::Script Always(std::string answer) {
    return [answer = std::move(answer)](RawServer::Peer& peer, int) {
        while (!peer.ReadRequest().empty()) peer.Write(answer);
    };
}

RawServer::Script Once(std::string answer) {
    return [answer = std::move(answer)](RawServer::Peer& peer, int) {
        peer.ReadRequest();
        peer.Write(answer);
    };
}

class AsioClientTest : public LoopFixture {};

TEST_F(AsioClientTest, GivesStatusHeadersAndBody) {
    RawServer server(Always(kOk));
    const Answer answer = Fetch(server.Url());
    ASSERT_FALSE(answer.error) << answer.error->message;
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.content_type, "text/plain");
    EXPECT_EQ(answer.body, "hello");
    EXPECT_FALSE(answer.reused);
}

TEST_F(AsioClientTest, WritesTheRequestAsItWasMeant) {
    std::promise<std::string> seen;
    RawServer server([&](RawServer::Peer& peer, int) {
        seen.set_value(peer.ReadRequest());
        peer.Write(kOk);
    });
    UpstreamRequest request = Post(server.Url("/v1/chat?x=1"), "{\"a\":1}");
    request.headers.Add("Authorization", "Bearer canary-7");
    request.headers.Add("Accept-Encoding", "br");
    ASSERT_FALSE(Fetch(std::move(request)).error);
    const std::string text = seen.get_future().get();
    EXPECT_EQ(
        text,
        "POST /v1/chat?x=1 HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
            "\r\nAuthorization: Bearer canary-7\r\nUser-Agent: aimanager\r\nContent-Length: 7\r\n"
            "Accept-Encoding: identity\r\n\r\n{\"a\":1}");
}

TEST_F(AsioClientTest, ReusesTheConnection) {
    RawServer server(Always(kOk));
    EXPECT_FALSE(Fetch(server.Url()).reused);
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(Fetch(server.Url()).reused);
    EXPECT_EQ(server.connections(), 1);
    EXPECT_EQ(client_->stats().connections_created.Value(), 1);
    EXPECT_EQ(client_->stats().connections_reused.Value(), 5);
    EXPECT_EQ(client_->stats().connections_open.Value(), 1);
    EXPECT_EQ(client_->stats().connections_idle.Value(), 1);
}

TEST_F(AsioClientTest, GivesOneReadOfTheSocketAsOnePiece) {
    RawServer server(
        Always("HTTP/1.1 200 OK\r\nTransfer-Encoding: "
               "chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nX-Trailer: 1\r\n\r\n"));
    for (int i = 0; i < 3; ++i) {
        const Answer answer = Fetch(server.Url());
        ASSERT_FALSE(answer.error) << answer.error->message;
        EXPECT_EQ(answer.body, "abcdefg");
    }
    EXPECT_EQ(server.connections(), 1);
}

struct GoodAnswer {
    const char* name;
    std::string bytes;
    std::string method;
    int status;
    std::string body;
    bool reusable;
};

const GoodAnswer kGoodAnswers[] = {
    {"Length", kOk, "GET", 200, "hello", true},
    {"Chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
     "GET", 200, "hello", true},
    {"UntilClose", "HTTP/1.1 200 OK\r\n\r\nhello", "GET", 200, "hello", false},
    {"Http10", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", "GET", 200, "hello", false},
    {"NoContent", "HTTP/1.1 204 No Content\r\n\r\n", "GET", 204, "", true},
    {"NotModified", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "GET", 304, "", true},
    {"Head", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD", 200, "", true},
    {"ZeroLength", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "GET", 200, "", true},
    {"Interim",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 "
     "OK\r\nContent-Length: 5\r\n\r\nhello",
     "GET", 200, "hello", true},
    {"SameLengthTwice", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
     "GET", 200, "hello", true},
    {"AskedToClose", "HTTP/1.1 500 Oops\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
     "GET", 500, "hello", false},
    {"NoReason", "HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello", "GET", 200, "hello", true},
    {"Redirect",
     "HTTP/1.1 302 Found\r\nLocation: http://elsewhere.test/\r\nContent-Length: 0\r\n\r\n", "GET",
     302, "", true},
};

TEST_F(AsioClientTest, UnderstandsEveryFormOfAnswerWholeAndByteByByte) {
    for (const GoodAnswer& good : kGoodAnswers) {
        for (const bool byte_by_byte : {false, true}) {
            SCOPED_TRACE(std::string(good.name) + (byte_by_byte ? " byte by byte" : " whole"));
            RawServer server([&](RawServer::Peer& peer, int) {
                while (!peer.ReadRequest().empty()) {
                    byte_by_byte ? peer.WriteByteByByte(good.bytes) : peer.Write(good.bytes);
                    if (!good.reusable) return;
                }
            });
            for (int i = 0; i < 2; ++i) {
                UpstreamRequest request = Get(server.Url());
                request.method = good.method;
                const Answer answer = Fetch(std::move(request));
                ASSERT_FALSE(answer.error) << answer.error->message;
                EXPECT_EQ(answer.status, good.status);
                EXPECT_EQ(answer.body, good.body);
                EXPECT_EQ(answer.reused, good.reusable && i == 1);
            }
        }
    }
}

struct BadAnswer {
    const char* name;
    std::string bytes;
    ErrorKind kind;
    std::string code;
    bool in_body;
};

const BadAnswer kBadAnswers[] = {
    {"Garbage", "SSH-2.0-OpenSSH_9.2\r\n", ErrorKind::kProtocolError, "bad_response", false},
    {"OneWrongByte", "X", ErrorKind::kProtocolError, "bad_response", false},
    {"HugeHead", "HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'a') + "\r\n\r\n",
     ErrorKind::kProtocolError, "bad_response", false},
    {"HugeHeadWithoutEnd", "HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'a'),
     ErrorKind::kProtocolError, "bad_response", false},
    {"DifferingLengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
     ErrorKind::kProtocolError, "bad_response", false},
    {"NegativeLength", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", ErrorKind::kProtocolError,
     "bad_response", false},
    {"LengthAndChunks",
     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     ErrorKind::kProtocolError, "bad_response", false},
    {"UnknownCoding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
     ErrorKind::kProtocolError, "bad_response", false},
    {"FoldedLine", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n",
     ErrorKind::kProtocolError, "bad_response", false},
    {"SpaceBeforeColon", "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n", ErrorKind::kProtocolError,
     "bad_response", false},
    {"Upgrade", "HTTP/1.1 101 Switching Protocols\r\n\r\n", ErrorKind::kProtocolError,
     "bad_response", false},
    {"UnknownContentEncoding",
     "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx",
     ErrorKind::kProtocolError, "bad_response", false},
    {"CutHead", "HTTP/1.1 200 OK\r\nContent-Le", ErrorKind::kUpstreamFailure, "reset", false},
    {"NothingAtAll", "", ErrorKind::kUpstreamFailure, "reset", false},
    {"CutLength", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello", ErrorKind::kUpstreamFailure,
     "truncated", true},
    {"CutChunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhello",
     ErrorKind::kUpstreamFailure, "truncated", true},
    {"NoLastChunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
     ErrorKind::kUpstreamFailure, "truncated", true},
    {"NoFinalLine", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
     ErrorKind::kUpstreamFailure, "truncated", true},
    {"BadChunkSize",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
     ErrorKind::kProtocolError, "bad_response", true},
    {"ChunkTooLong", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n",
     ErrorKind::kProtocolError, "bad_response", true},
    {"ChunkSizeOverflow",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
     ErrorKind::kProtocolError, "bad_response", true},
};

TEST_F(AsioClientTest, RefusesEveryBrokenAnswerWholeAndByteByByte) {
    for (const BadAnswer& bad : kBadAnswers) {
        for (const bool byte_by_byte : {false, true}) {
            if (byte_by_byte && bad.bytes.size() > 10'000) continue;
            SCOPED_TRACE(std::string(bad.name) + (byte_by_byte ? " byte by byte" : " whole"));
            RawServer server([&](RawServer::Peer& peer, int) {
                peer.ReadRequest();
                byte_by_byte ? peer.WriteByteByByte(bad.bytes) : peer.Write(bad.bytes);
            });
            const Answer answer = Fetch(server.Url("/secret?key=canary"));
            ASSERT_TRUE(answer.error);
            EXPECT_EQ(answer.error->kind, bad.kind) << answer.error->message;
            EXPECT_EQ(answer.error->code, bad.code);
            EXPECT_EQ(answer.in_body, bad.in_body);
            EXPECT_THAT(answer.error->message, Not(HasSubstr("canary")));
            EXPECT_EQ(client_->stats().connections_open.Value(), 0);
        }
    }
}

TEST_F(AsioClientTest, AResetWithinTheBodyIsNoEnd) {
    for (const bool framed : {true, false}) {
        std::promise<void> read;
        RawServer server([&](RawServer::Peer& peer, int) {
            peer.ReadRequest();
            peer.Write(framed ? "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"
                              : "HTTP/1.1 200 OK\r\n\r\nhello");
            read.get_future().wait();
            peer.Reset();
        });
        Cancellation cancellation;
        auto exchange = Run(client_->Send(Get(server.Url()), {}, cancellation));
        ASSERT_TRUE(exchange.has_value()) << exchange.error().message;
        const auto first = Run((*exchange)->Read());
        ASSERT_TRUE(first.has_value());
        EXPECT_EQ(*first, "hello");
        read.set_value();
        const auto second = Run((*exchange)->Read());
        ASSERT_FALSE(second.has_value());
        EXPECT_EQ(second.error().kind, ErrorKind::kUpstreamFailure);
        EXPECT_EQ(second.error().code, "reset");
        const auto third = Run((*exchange)->Read());
        ASSERT_FALSE(third.has_value());
        EXPECT_EQ(third.error().code, "reset");
    }
}

TEST_F(AsioClientTest, SaysWhenNobodyListens) {
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

TEST_F(AsioClientTest, SaysWhenTheNameIsUnknown) {
    Resolver::Options names;
    names.lookup = [](const std::string&) { return Resolution{{}, "no such name"}; };
    MakeClient({}, names, {});
    const Answer answer = Fetch("http://nowhere.test/");
    ASSERT_TRUE(answer.error);
    EXPECT_EQ(answer.error->kind, ErrorKind::kUpstreamFailure);
    EXPECT_EQ(answer.error->code, "dns_failure");
    EXPECT_THAT(answer.error->message, HasSubstr("no such name"));
}

TEST_F(AsioClientTest, FindsAServerByNameWhenItsFirstAddressRefuses) {
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

TEST_F(AsioClientTest, TheConnectLimitCoversASilentResolver) {
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

TEST_F(AsioClientTest, TheHeadLimitEndsASilentServer) {
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

TEST_F(AsioClientTest, TheHeadLimitEndsAServerThatReadsNothing) {
    std::promise<void> over;
    RawServer server([&](RawServer::Peer&, int) { over.get_future().wait(); });
    ExchangeLimits limits;
    limits.head = 100ms;
    const Answer answer = Fetch(Post(server.Url(), std::string(64u << 20, 'x')), limits);
    over.set_value();
    ASSERT_TRUE(answer.error);
    EXPECT_EQ(answer.error->code, "head_timeout");
}

TEST_F(AsioClientTest, TheGapLimitEndsAStalledBody) {
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

TEST_F(AsioClientTest, SendsALargeBodyWhole) {
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

TEST_F(AsioClientTest, ReadsALargeBodyWhole) {
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

TEST_F(AsioClientTest, AnEarlyAnswerEndsTheSendingOfALargeBody) {
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

TEST_F(AsioClientTest, DoesNotReadFasterThanItsReader) {
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

TEST_F(AsioClientTest, RefusesARequestThatWouldNotArriveAsMeant) {
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

TEST_F(AsioClientTest, ConnectionsSurviveAReaderThatStopsBeforeTheEndMark) {
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

TEST_F(AsioClientTest, AnExchangeLeftInTheMiddleClosesItsConnection) {
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

TEST_F(AsioClientTest, ExchangesEndWithTheirClient) {
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
TEST_F(AsioClientTest, AWaitingCoroutineIsFreedWithTheLoop) {
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

TEST_F(AsioClientTest, AClosedPooledConnectionIsNoticedBeforeItsUse) {
    RawServer server(Once(kOk));
    for (int i = 0; i < 3; ++i) {
        const Answer answer = Fetch(server.Url());
        ASSERT_FALSE(answer.error) << answer.error->message;
        EXPECT_FALSE(answer.reused);
        ASSERT_TRUE(RunUntil([&] { return client_->stats().connections_open.Value() == 0; }))
            << "the loop sees the close by itself";
    }
    EXPECT_EQ(client_->stats().connections_stale.Value(), 0);
}

TEST_F(AsioClientTest, BytesOnAnIdleConnectionCloseIt) {
    std::promise<void> idle;
    RawServer server([&](RawServer::Peer& peer, int) {
        peer.ReadRequest();
        peer.Write(kOk);
        idle.get_future().wait();
        peer.Write("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
        peer.WaitForClose();
    });
    ASSERT_FALSE(Fetch(server.Url()).error);
    EXPECT_EQ(client_->stats().connections_idle.Value(), 1);
    idle.set_value();
    EXPECT_TRUE(RunUntil([&] { return client_->stats().connections_open.Value() == 0; }));
}

// The server closes or resets while the second request is on its way.
TEST_F(AsioClientTest, AStaleConnectionIsTriedAgainOnce) {
    for (const bool reset : {false, true}) {
        RawServer server([&](RawServer::Peer& peer, int connection) {
            peer.ReadRequest();
            peer.Write(kOk);
            if (peer.ReadRequest().empty()) return;
            if (connection == 0 && reset) return peer.Reset();
            if (connection == 0) return;
            peer.Write(kOk);
        });
        MakeClient({}, {}, {});
        ASSERT_FALSE(Fetch(server.Url()).error);
        const Answer second = Fetch(Post(server.Url(), "body"));
        ASSERT_FALSE(second.error) << second.error->message;
        EXPECT_EQ(second.body, "hello");
        EXPECT_FALSE(second.reused);
        EXPECT_EQ(server.connections(), 2);
        EXPECT_EQ(client_->stats().connections_stale.Value(), 1);
    }
}

TEST_F(AsioClientTest, ARequestIsNotSentAThirdTime) {
    RawServer server([&](RawServer::Peer& peer, int connection) {
        peer.ReadRequest();
        if (connection > 0) return;
        peer.Write(kOk);
        peer.ReadRequest();
    });
    ASSERT_FALSE(Fetch(server.Url()).error);
    const Answer second = Fetch(server.Url());
    ASSERT_TRUE(second.error);
    EXPECT_EQ(second.error->code, "reset");
    EXPECT_EQ(server.connections(), 2);
}

TEST_F(AsioClientTest, ARequestThatWasBeingAnsweredIsNotSentAgain) {
    RawServer server([&](RawServer::Peer& peer, int) {
        peer.ReadRequest();
        peer.Write(kOk);
        peer.ReadRequest();
        peer.Write("H");
    });
    ASSERT_FALSE(Fetch(server.Url()).error);
    const Answer second = Fetch(server.Url());
    ASSERT_TRUE(second.error);
    EXPECT_EQ(second.error->code, "reset");
    EXPECT_TRUE(RunUntil([&] { return server.finished() == 1; }));
    EXPECT_EQ(server.connections(), 1);
}

TEST_F(AsioClientTest, ARequestOnWhichTheServerMayHaveWorkedIsNotSentAgain) {
    ClientOptions options;
    options.resend_window = 0ms;
    MakeClient(options, {}, {});
    RawServer server([&](RawServer::Peer& peer, int) {
        peer.ReadRequest();
        peer.Write(kOk);
        peer.ReadRequest();
    });
    ASSERT_FALSE(Fetch(server.Url()).error);
    EXPECT_TRUE(Fetch(server.Url()).error);
    EXPECT_EQ(server.connections(), 1);
}

TEST_F(AsioClientTest, OldAndIdleConnectionsAreClosed) {
    RawServer server(Always(kOk));
    ClientOptions options;
    options.pool.connection_age = 0ms;
    MakeClient(options, {}, {});
    for (int i = 0; i < 2; ++i) EXPECT_FALSE(Fetch(server.Url()).reused);
    EXPECT_EQ(client_->stats().connections_open.Value(), 0);

    options.pool.connection_age = 1h;
    options.pool.idle_age = 20ms;
    MakeClient(options, {}, {});
    EXPECT_FALSE(Fetch(server.Url()).error);
    EXPECT_EQ(client_->stats().connections_idle.Value(), 1);
    EXPECT_TRUE(RunUntil([&] { return client_->stats().connections_open.Value() == 0; }));
}

TEST_F(AsioClientTest, KeepsNoMoreIdleConnectionsThanTheLimit) {
    std::atomic<int> asked{0};
    std::promise<void> all_asked;
    const auto all = all_asked.get_future().share();
    RawServer server([&](RawServer::Peer& peer, int) {
        peer.ReadRequest();
        if (++asked == 4) all_asked.set_value();
        all.wait();
        peer.Write(kOk);
        peer.WaitForClose();
    });
    ClientOptions options;
    options.pool.idle_per_origin = 2;
    MakeClient(options, {}, {});
    Cancellation cancellation;
    std::array<std::optional<Answer>, 4> answers;
    for (auto& answer : answers) Start(Fetch(Get(server.Url()), {}, cancellation), answer);
    ASSERT_TRUE(RunUntil([&] {
        return std::all_of(answers.begin(), answers.end(),
                           [](const auto& a) { return a.has_value(); });
    }));
    EXPECT_EQ(client_->stats().connections_idle.Value(), 2);
    EXPECT_EQ(client_->stats().connections_open.Value(), 2);
}

TEST_F(AsioClientTest, ExchangesQueueForAConnectionInTheirOrder) {
    RawServer server(Always(kOk));
    ClientOptions options;
    options.pool.connections_per_origin = 1;
    MakeClient(options, {}, {});
    Cancellation cancellation;
    std::array<std::optional<Answer>, 8> answers;
    for (auto& answer : answers) Start(Fetch(Get(server.Url()), {}, cancellation), answer);
    ASSERT_TRUE(RunUntil([&] {
        return std::all_of(answers.begin(), answers.end(),
                           [](const auto& a) { return a.has_value(); });
    }));
    for (const auto& answer : answers) EXPECT_FALSE(answer->error) << answer->error->message;
    EXPECT_EQ(server.connections(), 1);
    EXPECT_EQ(client_->stats().pool_waits.Value(), 7);
    EXPECT_EQ(client_->stats().waiting.Value(), 0);
}

TEST_F(AsioClientTest, AFullPoolRefusesAfterTheConnectLimitAndAFullQueueAtOnce) {
    RawServer server([](RawServer::Peer& peer, int) { peer.WaitForClose(); });
    ClientOptions options;
    options.pool.connections_per_origin = 1;
    options.pool.waiters_per_origin = 1;
    MakeClient(options, {}, {});
    Cancellation cancellation;
    ExchangeLimits limits;
    limits.connect = 40ms;
    std::array<std::optional<Answer>, 3> answers;
    for (auto& answer : answers) Start(Fetch(Get(server.Url()), limits, cancellation), answer);
    ASSERT_TRUE(RunUntil([&] { return answers[1] && answers[2]; }));
    for (const int i : {1, 2}) {
        ASSERT_TRUE(answers[i]->error);
        EXPECT_EQ(answers[i]->error->kind, ErrorKind::kOverloaded);
        EXPECT_EQ(answers[i]->error->code, "pool_exhausted");
    }
    EXPECT_EQ(client_->stats().pool_refusals.Value(), 2);
    cancellation.Cancel(Cancellation::Reason::kShutdown);
    ASSERT_TRUE(RunUntil([&] { return answers[0].has_value(); }));
    EXPECT_EQ(answers[0]->error->kind, ErrorKind::kCancelled);
}

// What is granted while its waiter is being cancelled goes to the next one.
TEST_F(AsioClientTest, ACancelledWaiterKeepsNoPlace) {
    std::promise<void> go;
    RawServer server([&](RawServer::Peer& peer, int connection) {
        peer.ReadRequest();
        if (connection == 0) go.get_future().wait();
        peer.Write(kOk);
        while (!peer.ReadRequest().empty()) peer.Write(kOk);
    });
    ClientOptions options;
    options.pool.connections_per_origin = 1;
    MakeClient(options, {}, {});
    Cancellation stay;
    Cancellation leave;
    std::optional<Answer> first;
    std::optional<Answer> second;
    std::optional<Answer> third;
    Start(Fetch(Get(server.Url()), {}, leave), first);
    Start(Fetch(Get(server.Url()), {}, leave), second);
    Start(Fetch(Get(server.Url()), {}, stay), third);
    ASSERT_TRUE(RunUntil(
        [&] { return client_->stats().waiting.Value() == 2 && server.connections() == 1; }));
    leave.Cancel(Cancellation::Reason::kClientLeft);
    go.set_value();
    ASSERT_TRUE(RunUntil([&] { return first && second && third; }));
    EXPECT_EQ(first->error->kind, ErrorKind::kCancelled);
    EXPECT_EQ(second->error->kind, ErrorKind::kCancelled);
    EXPECT_FALSE(third->error);
}

// The system may have connected before the loop hears of the cancellation.
TEST_F(AsioClientTest, AConnectThatSucceedsAfterItsCancellationIsForgotten) {
    // On a busy machine the answer may be there before the cancellation: it leaves nothing, either.
    RawServer server(Always("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"));
    for (int turns = 0; turns < 6; ++turns) {
        Cancellation cancellation;
        std::optional<Answer> answer;
        Start(Fetch(Get(server.Url()), {}, cancellation), answer);
        loop_.restart();
        for (int i = 0; i < turns; ++i) loop_.poll_one();
        cancellation.Cancel(Cancellation::Reason::kClientLeft);
        ASSERT_TRUE(RunUntil([&] { return answer.has_value(); }));
        ASSERT_TRUE(RunUntil([&] { return server.finished() == server.connections(); }));
    }
    EXPECT_FALSE(Fetch(server.Url()).error);
}

TEST_F(AsioClientTest, CancellationEndsEveryStageAtOnce) {
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

// gzip of "hello hello hello hello\n".
std::string GzipSample() {
    const unsigned char kBytes[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03,
                                    0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8, 0x40, 0x27, 0xb9,
                                    0x00, 0x00, 0x88, 0x59, 0x0b, 0x18, 0x00, 0x00, 0x00};
    return {reinterpret_cast<const char*>(kBytes), sizeof kBytes};
}

TEST_F(AsioClientTest, DecodesGzipThatWasNotAskedFor) {
    const std::string body = GzipSample();
    for (const bool byte_by_byte : {false, true}) {
        RawServer server([&](RawServer::Peer& peer, int) {
            peer.ReadRequest();
            const std::string text =
                "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n\r\n" + body;
            byte_by_byte ? peer.WriteByteByByte(text) : peer.Write(text);
        });
        const Answer answer = Fetch(server.Url());
        ASSERT_FALSE(answer.error) << answer.error->message;
        EXPECT_EQ(answer.body, "hello hello hello hello\n");
    }
    RawServer cut(Once("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 15\r\n\r\n" +
                       body.substr(0, 15)));
    const Answer answer = Fetch(cut.Url());
    ASSERT_TRUE(answer.error);
    EXPECT_EQ(answer.error->code, "truncated");
}

}  // namespace
}  // namespace aim::http::client
