// What the client makes of answers: every form, broken ones, encodings.
#include "core/http/client/asio_client.hpp"

#include <future>

#include <gmock/gmock.h>

#include "tests/unit/core/http/client/answer_scripts.hpp"
#include "tests/unit/core/http/client/loop_fixture.hpp"

namespace aim::http::client {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

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
