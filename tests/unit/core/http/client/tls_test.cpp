#include <future>

#include <gmock/gmock.h>

#include "core/http/client/asio_client.hpp"
#include "tests/support/raw_server.hpp"
#include "tests/support/tls_authority.hpp"
#include "tests/unit/core/http/client/loop_fixture.hpp"

namespace aim::http::client {
namespace {

using namespace std::chrono_literals;
using ::aim::testing::RawServer;
using ::aim::testing::TlsAuthority;
using ::aim::testing::TlsLeafRequest;
using ::testing::HasSubstr;

constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

class TlsTest : public LoopFixture {
  protected:
    void SetUp() override { Trust(authority_.certificate_pem()); }

    void Trust(const std::string& pem, ClientOptions options = {}) {
        TlsContext::Options tls;
        tls.extra_authorities_pem = pem;
        Resolver::Options names;
        names.lookup = [](const std::string&) {
            return Resolution{{boost::asio::ip::make_address("127.0.0.1")}, {}};
        };
        MakeClient(std::move(options), names, tls);
    }

    RawServer::Tls Certificate(const TlsLeafRequest& request = {}, int version = 0) {
        const auto leaf = authority_.Issue(request);
        return {leaf.certificate_pem, leaf.key_pem, version};
    }

    static void Serve(RawServer::Peer& peer, int) {
        while (!peer.ReadRequest().empty()) peer.Write(kOk);
    }

    TlsAuthority authority_;
};

TEST_F(TlsTest, TalksToAVerifiedNameAndAddress) {
    TlsLeafRequest request;
    request.names = {"api.test"};
    request.addresses = {"127.0.0.1"};
    RawServer server(Serve, Certificate(request));
    for (const char* host : {"api.test", "api.test.", "127.0.0.1"}) {
        for (int i = 0; i < 2; ++i) {
            const Answer answer = Fetch(server.Url("/", host));
            ASSERT_FALSE(answer.error) << host << ": " << answer.error->message;
            EXPECT_EQ(answer.body, "hello");
            EXPECT_EQ(answer.reused, i == 1);
        }
    }
}

TEST_F(TlsTest, SpeaksTls12And13) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        RawServer server(Serve, Certificate({}, version));
        const Answer answer = Fetch(server.Url());
        ASSERT_FALSE(answer.error) << answer.error->message;
        EXPECT_EQ(answer.body, "hello");
    }
}

TEST_F(TlsTest, RefusesOlderVersions) {
    RawServer server(Serve, Certificate({}, TLS1_1_VERSION));
    const Answer answer = Fetch(server.Url());
    ASSERT_TRUE(answer.error);
    EXPECT_EQ(answer.error->code, "tls_failure");
}

TEST_F(TlsTest, RefusesWhatItCannotVerify) {
    TlsLeafRequest other_name;
    other_name.names = {"other.test"};
    other_name.addresses = {};
    TlsLeafRequest expired;
    expired.valid_from = -48h;
    expired.valid_until = -24h;
    TlsLeafRequest future;
    future.valid_from = 24h;
    future.valid_until = 48h;
    struct Case {
        const char* name;
        TlsLeafRequest request;
        std::string host;
        std::string text;
    };
    const Case kCases[] = {{"wrong name", other_name, "api.test", "hostname mismatch"},
                           {"wrong address", other_name, "127.0.0.1", "IP address mismatch"},
                           {"part of a name", other_name, "evil.other.test", "hostname mismatch"},
                           {"expired", expired, "localhost", "expired"},
                           {"not yet valid", future, "localhost", "not yet valid"}};
    for (const Case& bad : kCases) {
        SCOPED_TRACE(bad.name);
        RawServer server(Serve, Certificate(bad.request));
        const Answer answer = Fetch(server.Url("/", bad.host));
        ASSERT_TRUE(answer.error);
        EXPECT_EQ(answer.error->kind, ErrorKind::kUpstreamFailure);
        EXPECT_EQ(answer.error->code, "tls_failure");
        EXPECT_THAT(answer.error->message, HasSubstr(bad.text));
        EXPECT_EQ(client_->stats().connections_open.Value(), 0);
    }
}

TEST_F(TlsTest, RefusesAnUnknownAuthority) {
    Trust("");
    RawServer server(Serve, Certificate());
    const Answer answer = Fetch(server.Url());
    ASSERT_TRUE(answer.error);
    EXPECT_EQ(answer.error->code, "tls_failure");
}

TEST_F(TlsTest, RefusesAuthoritiesThatAreNone) {
    for (const std::string& text :
         {std::string("not a certificate"),
          authority_.certificate_pem() + "-----BEGIN CERTIFICATE-----\nAAAA\n"}) {
        TlsContext::Options options;
        options.extra_authorities_pem = text;
        EXPECT_FALSE(TlsContext::Create(options).has_value());
    }
}

TEST_F(TlsTest, ResumesItsSession) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        SCOPED_TRACE(version);
        Trust(authority_.certificate_pem());
        std::atomic<int> resumed{0};
        RawServer server(
            [&](RawServer::Peer& peer, int) {
                peer.ReadRequest();
                if (peer.resumed()) ++resumed;
                peer.Write(
                    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello");
            },
            Certificate({}, version));
        for (int i = 0; i < 3; ++i) {
            const Answer answer = Fetch(server.Url());
            ASSERT_FALSE(answer.error) << answer.error->message;
        }
        EXPECT_EQ(server.connections(), 3);
        EXPECT_EQ(resumed.load(), 2);
        EXPECT_EQ(client_->stats().tls_handshakes.Value(), 3);
        EXPECT_EQ(client_->stats().tls_resumptions.Value(), 2);
    }
}

TEST_F(TlsTest, AnEndWithoutCloseNotifyTruncatesOnlyABodyThatLastsUntilIt) {
    for (const bool with_length : {false, true}) {
        for (const bool notify : {false, true}) {
            SCOPED_TRACE(std::to_string(with_length) + std::to_string(notify));
            RawServer server(
                [&](RawServer::Peer& peer, int) {
                    peer.ReadRequest();
                    peer.Write(with_length ? kOk : "HTTP/1.1 200 OK\r\n\r\nhello");
                    if (!notify) peer.CloseWithoutNotify();
                },
                Certificate());
            const Answer answer = Fetch(server.Url());
            EXPECT_EQ(answer.body, "hello");
            if (with_length || notify) {
                EXPECT_FALSE(answer.error) << answer.error->message;
            } else {
                ASSERT_TRUE(answer.error);
                EXPECT_EQ(answer.error->code, "truncated");
            }
        }
    }
}

TEST_F(TlsTest, MovesLargeBodiesBothWays) {
    std::string body(6u << 20, '\0');
    for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 31 % 251);
    std::string received;
    RawServer server(
        [&](RawServer::Peer& peer, int) {
            const std::string request = peer.ReadRequest();
            received = request.substr(request.find("\r\n\r\n") + 4);
            peer.Write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) +
                       "\r\n\r\n" + body);
            peer.WaitForClose();
        },
        Certificate());
    const Answer answer = Fetch(Post(server.Url(), body));
    ASSERT_FALSE(answer.error) << answer.error->message;
    EXPECT_TRUE(answer.body == body);
    EXPECT_TRUE(received == body);
}

TEST_F(TlsTest, TheConnectLimitCoversTheHandshake) {
    RawServer silent([](RawServer::Peer& peer, int) { peer.WaitForClose(); });
    ExchangeLimits limits;
    limits.connect = 30ms;
    const Answer answer = Fetch("https://127.0.0.1:" + std::to_string(silent.port()) + "/", limits);
    ASSERT_TRUE(answer.error);
    EXPECT_EQ(answer.error->kind, ErrorKind::kUpstreamTimeout);
    EXPECT_EQ(answer.error->code, "connect_timeout");
}

TEST_F(TlsTest, GarbageInsteadOfAHandshakeIsATlsFailure) {
    RawServer plain([](RawServer::Peer& peer, int) {
        peer.ReadSome();
        peer.Write("HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    const Answer answer = Fetch("https://127.0.0.1:" + std::to_string(plain.port()) + "/");
    ASSERT_TRUE(answer.error);
    EXPECT_EQ(answer.error->code, "tls_failure");
}

TEST_F(TlsTest, AStaleConnectionIsTriedAgainOnce) {
    RawServer server(
        [&](RawServer::Peer& peer, int connection) {
            peer.ReadRequest();
            peer.Write(kOk);
            if (connection == 0) {
                peer.ReadRequest();
                return peer.Reset();
            }
            while (!peer.ReadRequest().empty()) peer.Write(kOk);
        },
        Certificate());
    ASSERT_FALSE(Fetch(server.Url()).error);
    const Answer second = Fetch(server.Url());
    ASSERT_FALSE(second.error) << second.error->message;
    EXPECT_EQ(server.connections(), 2);
}

// A proxy that answers CONNECT and then is the server itself.
TEST_F(TlsTest, GoesThroughAProxyByConnect) {
    std::promise<std::string> seen;
    TlsLeafRequest request;
    request.names = {"api.test"};
    const auto leaf = Certificate(request);
    RawServer server([&](RawServer::Peer& peer, int) {
        seen.set_value(peer.ReadRequest());
        peer.Write("HTTP/1.1 200 Connection established\r\n\r\n");
        peer.StartTls(leaf);
        while (!peer.ReadRequest().empty()) peer.Write(kOk);
    });
    ClientOptions options;
    options.proxy.for_https =
        ProxyServer{"127.0.0.1", server.port(), SecretString("Basic Y2FuYXJ5")};
    Trust(authority_.certificate_pem(), options);
    const Answer answer = Fetch("https://api.test/");
    ASSERT_FALSE(answer.error) << answer.error->message;
    EXPECT_EQ(answer.body, "hello");
    EXPECT_EQ(seen.get_future().get(),
              "CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\nProxy-Authorization: Basic "
              "Y2FuYXJ5\r\n\r\n");
}

TEST_F(TlsTest, AProxyThatRefusesIsNamed) {
    RawServer server([&](RawServer::Peer& peer, int) {
        peer.ReadRequest();
        peer.Write("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
    });
    ClientOptions options;
    options.proxy.for_https = ProxyServer{"127.0.0.1", server.port(), {}};
    Trust("", options);
    const Answer answer = Fetch("https://api.test/");
    ASSERT_TRUE(answer.error);
    EXPECT_EQ(answer.error->code, "connect_failed");
    EXPECT_THAT(answer.error->message, HasSubstr("407"));
}

TEST_F(TlsTest, PlainRequestsToAProxyHaveTheAbsoluteForm) {
    std::promise<std::string> seen;
    RawServer server([&](RawServer::Peer& peer, int) {
        seen.set_value(peer.ReadRequest());
        peer.Write(kOk);
    });
    ClientOptions options;
    options.proxy.for_http = ProxyServer{"127.0.0.1", server.port(), {}};
    Trust("", options);
    ASSERT_FALSE(Fetch("http://api.test/x?y").error);
    EXPECT_THAT(seen.get_future().get(),
                HasSubstr("GET http://api.test/x?y HTTP/1.1\r\nHost: api.test\r\n"));
}

}  // namespace
}  // namespace aim::http::client
