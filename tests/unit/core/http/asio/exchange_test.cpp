// Whole exchanges: keep-alive, pipelining, methods, 100-continue, handlers that fail.
#include <chrono>
#include <thread>

#include "core/http/middleware/auth.hpp"
#include "core/http/middleware/cors.hpp"
#include "core/http/middleware/request_id.hpp"
#include "tests/unit/core/http/asio/server_fixture.hpp"

namespace aim::http {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class ExchangeTest : public ServerFixture {};

TEST_F(ExchangeTest, AnswersAndKeepsTheConnection) {
    StartServer();
    RawClient client(port());
    for (int i = 0; i < 3; ++i) {
        const RawResponse response = client.Ask(PostRequest("/echo", "body " + std::to_string(i)));
        EXPECT_EQ(response.status, 200);
        EXPECT_EQ(response.body, "body " + std::to_string(i));
        EXPECT_EQ(response.Header("Connection"), "");
        EXPECT_THAT(response.Header("Date"), HasSubstr(" GMT"));
    }
    EXPECT_EQ(server_->Totals().connections_accepted, 1u);
    EXPECT_EQ(server_->Totals().requests, 3u);
}

// Thousands of kept connections, each of which once sent a long prompt.
TEST_F(ExchangeTest, AKeptConnectionHoldsNoLargeBody) {
    StartServer();
    RawClient client(port());
    const auto capacity = [&] { return std::stoul(client.Ask(GetRequest("/capacity")).body); };
    ASSERT_EQ(client.Ask(PostRequest("/echo", std::string(1000, 's'))).status, 200);
    const std::size_t small = capacity();
    EXPECT_GE(small, 1000u);  // kept: a usual body needs no new memory
    ASSERT_EQ(client.Ask(PostRequest("/echo", std::string(4'000'000, 'l'))).status, 200);
    EXPECT_LE(capacity(), small);
    EXPECT_EQ(server_->Totals().connections_accepted, 1u);
}

// A client's slow line is not what the gateway took, nor what a model has left.
TEST_F(ExchangeTest, ARequestsTimeBeginsWhenItIsComplete) {
    StartServer();
    RawClient client(port());
    client.Send("POST /age HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n1");
    ASSERT_TRUE(Eventually([&] { return server_->Totals().requests == 1; }));
    std::this_thread::sleep_for(std::chrono::milliseconds(400));
    client.Send("2");
    EXPECT_LT(std::stoi(client.Read().body), 400);
}

TEST_F(ExchangeTest, UnderstandsARequestByteByByte) {
    StartServer();
    RawClient client(port());
    ASSERT_TRUE(client.SendByteByByte(PostRequest("/echo", "slowly")));
    EXPECT_EQ(client.Read().body, "slowly");
    ASSERT_TRUE(
        client.SendByteByByte("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
                              "chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"));
    EXPECT_EQ(client.Read().body, "abcde");
}

TEST_F(ExchangeTest, AnswersPipelinedRequestsInOrder) {
    StartServer();
    const std::string requests = PostRequest("/echo", "1") + GetRequest("/count?n=3") +
                                 PostRequest("/echo", "2") + GetRequest("/nothing") +
                                 GetRequest("/hello");
    for (const bool whole : {true, false}) {
        RawClient client(port());
        ASSERT_TRUE(whole ? client.Send(requests) : client.SendByteByByte(requests));
        std::vector<std::string> answers;
        for (int i = 0; i < 5; ++i) {
            const RawResponse response = client.Read();
            answers.push_back(response.status == 200 ? response.body
                                                     : std::to_string(response.status));
        }
        EXPECT_THAT(answers, ElementsAre("1", "1;2;3;", "2", "404", "hello"));
    }
}

TEST_F(ExchangeTest, AnswersWhatWasPipelinedWhileAHandlerWaited) {
    StartServer();
    RawClient client(port());
    client.Send(GetRequest("/wait"));
    ASSERT_TRUE(Eventually([&] { return room_->waiting == 1; }));
    client.Send(PostRequest("/echo", std::string(10'000, 'p')));
    client.Send(GetRequest("/hello"));
    room_->release = 1;
    EXPECT_EQ(client.Read().body, "waited");
    EXPECT_EQ(client.Read().body.size(), 10'000u);
    EXPECT_EQ(client.Read().body, "hello");
}

TEST_F(ExchangeTest, KeepsWhatAnImpatientPipelinerSendsWithinBounds) {
    StartServer();
    RawClient client(port());
    client.Send(GetRequest("/wait"));
    ASSERT_TRUE(Eventually([&] { return room_->waiting == 1; }));
    // Far more than the server keeps: the rest stays in the sockets until the first answer is out.
    const std::string body(300'000, 'p');
    client.Send(PostRequest("/echo", body));
    client.Send(PostRequest("/echo", "end"));
    room_->release = 1;
    EXPECT_EQ(client.Read().body, "waited");
    EXPECT_EQ(client.Read().body, body);
    EXPECT_EQ(client.Read().body, "end");
}

TEST_F(ExchangeTest, Http10ClosesUnlessAsked) {
    StartServer();
    RawClient closing(port());
    const RawResponse last = closing.Ask("GET /hello HTTP/1.0\r\n\r\n");
    EXPECT_EQ(last.body, "hello");
    EXPECT_EQ(last.Header("Connection"), "close");
    EXPECT_TRUE(closing.Closes());
    RawClient keeping(port());
    for (int i = 0; i < 2; ++i) {
        const RawResponse response =
            keeping.Ask("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        EXPECT_EQ(response.body, "hello");
        EXPECT_EQ(response.Header("Connection"), "keep-alive");
    }
}

TEST_F(ExchangeTest, ClosesWhenTheClientAsks) {
    StartServer();
    RawClient client(port());
    EXPECT_EQ(client.Ask(GetRequest("/hello", "Connection: close\r\n")).Header("Connection"),
              "close");
    EXPECT_TRUE(client.Closes());
}

TEST_F(ExchangeTest, HeadHasTheLengthAndNoBody) {
    StartServer();
    RawClient client(port());
    const RawResponse head = client.Ask("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n", true);
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.Header("Content-Length"), "5");
    const RawResponse stream = client.Ask("HEAD /count?n=3 HTTP/1.1\r\nHost: a\r\n\r\n", true);
    EXPECT_EQ(stream.Header("Transfer-Encoding"), "chunked");
    const RawResponse missing = client.Ask("HEAD /nothing HTTP/1.1\r\nHost: a\r\n\r\n", true);
    EXPECT_EQ(missing.status, 404);
    EXPECT_EQ(client.Ask(GetRequest("/hello")).body, "hello")
        << "nothing of a body may be left between";
}

TEST_F(ExchangeTest, NoContentHasNeitherBodyNorLength) {
    StartServer();
    RawClient client(port());
    const RawResponse response = client.Ask(GetRequest("/empty"));
    EXPECT_EQ(response.status, 204);
    EXPECT_EQ(response.Header("Content-Length"), "");
    EXPECT_EQ(client.Ask(GetRequest("/hello")).body, "hello");
}

TEST_F(ExchangeTest, UnknownPathsAndMethodsInTheRightEnvelope) {
    StartServer();
    RawClient client(port());
    const RawResponse native = client.Ask(GetRequest("/nothing"));
    EXPECT_EQ(native.status, 404);
    EXPECT_THAT(native.body, HasSubstr(R"("error_code":"not_found")"));
    const RawResponse open_ai = client.Ask(PostRequest("/v1/nothing", "{}"));
    EXPECT_EQ(open_ai.status, 404);
    EXPECT_THAT(open_ai.body, HasSubstr(R"("code":"not_found")"));
    const RawResponse method = client.Ask(GetRequest("/v1/echo"));
    EXPECT_EQ(method.status, 405);
    EXPECT_EQ(method.Header("Allow"), "POST");
    EXPECT_THAT(method.body, HasSubstr(R"("code":"method_not_allowed")"));
    EXPECT_EQ(client.Ask(GetRequest("/hello")).body, "hello");
}

TEST_F(ExchangeTest, AValueCannotEndItsLine) {
    StartServer();
    RawClient client(port());
    const RawResponse response = client.Ask(GetRequest("/evil"));
    EXPECT_EQ(response.Header("X-Model"), "a  Set-Cookie: b    body");
    EXPECT_EQ(response.Header("Set-Cookie"), "");
    EXPECT_EQ(response.Header("Content-Length"), "4") << "framing is the server's";
    EXPECT_EQ(response.Header("Transfer-Encoding"), "");
    EXPECT_EQ(response.body, "evil");
}

TEST_F(ExchangeTest, SaysContinueOnlyToWhoWaitsForIt) {
    StartServer();
    RawClient client(port());
    const std::string head =
        "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
    client.Send(head);
    EXPECT_EQ(client.ReadSome(25), "HTTP/1.1 100 Continue\r\n\r\n");
    client.Send("body");
    const RawResponse response = client.Read();
    EXPECT_EQ(response.body, "body");
    const RawResponse impatient = client.Ask(head + "body");
    EXPECT_FALSE(impatient.continued) << "the body was there already";
    EXPECT_EQ(impatient.body, "body");
    EXPECT_FALSE(client.Ask(GetRequest("/hello", "Expect: 100-continue\r\n")).continued);
}

std::shared_ptr<const MiddlewareChain> Guarded() {
    auto chain = std::make_shared<MiddlewareChain>();
    auto keys = std::make_shared<ConfiguredKeys>();
    keys->Add("bootstrap", SecretString("sk-test"));
    chain->Add(std::make_unique<RequestIdMiddleware>());
    chain->Add(std::make_unique<CorsMiddleware>("*"));
    chain->Add(std::make_unique<AuthMiddleware>(keys));
    return chain;
}

TEST_F(ExchangeTest, SaysNoContinueToWhoIsRefused) {
    StartServer({}, 1, Guarded());
    for (const auto* path : {"/echo", "/nothing"}) {
        RawClient client(port());
        client.Send(
            "POST " + std::string(path) +
            " HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4000000\r\n\r\n");
        const RawResponse response = client.Read();
        EXPECT_FALSE(response.continued);
        EXPECT_EQ(response.status, path == std::string("/echo") ? 401 : 404);
        EXPECT_EQ(response.Header("Connection"), "close");
        EXPECT_TRUE(client.Closes());
    }
    EXPECT_EQ(room_->echoes, 0);
}

TEST_F(ExchangeTest, ARefusedRequestWithASmallBodyKeepsItsConnection) {
    StartServer({}, 1, Guarded());
    RawClient client(port());
    ASSERT_TRUE(client.SendByteByByte(PostRequest("/echo", "small", "X-API-Key: wrong\r\n")));
    const RawResponse refused = client.Read();
    EXPECT_EQ(refused.status, 401);
    EXPECT_EQ(refused.Header("X-Request-Id").size(), 36u);
    EXPECT_THAT(refused.body, HasSubstr(refused.Header("X-Request-Id")));
    EXPECT_EQ(client.Ask(PostRequest("/echo", "right", "X-API-Key: sk-test\r\n")).body, "right");
}

TEST_F(ExchangeTest, ARefusedRequestWithALargeBodyNeedNotSendItAll) {
    StartServer({}, 1, Guarded());
    RawClient client(port());
    client.Send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n\r\nabc");
    const RawResponse refused = client.Read();
    EXPECT_EQ(refused.status, 401);
    EXPECT_EQ(refused.Header("Connection"), "close");
}

TEST_F(ExchangeTest, PreflightsNeedNoKey) {
    StartServer({}, 1, Guarded());
    RawClient client(port());
    const RawResponse response = client.Ask(
        "OPTIONS /echo HTTP/1.1\r\nHost: a\r\nOrigin: "
        "http://page\r\nAccess-Control-Request-Method: POST\r\n\r\n");
    EXPECT_EQ(response.status, 204);
    EXPECT_EQ(response.Header("Access-Control-Allow-Origin"), "*");
    EXPECT_EQ(client.Ask(PostRequest("/echo", "x", "Authorization: Bearer sk-test\r\n")).body, "x");
}

TEST_F(ExchangeTest, TheServersOwnRefusalsHaveARequestId) {
    StartServer({}, 1, Guarded());
    RawClient client(port());
    const RawResponse response =
        client.Ask("GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine\r\nbroken\r\n\r\n");
    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(response.Header("X-Request-Id"), "mine");
    EXPECT_THAT(response.body, HasSubstr(R"("request_id":"mine")"));
}

TEST_F(ExchangeTest, AHandlerThatThrowsCostsOneConnectionNotTheProcess) {
    StartServer();
    for (const auto* path : {"/throw", "/v1/throw", "/throw-later"}) {
        RawClient client(port());
        const RawResponse response = client.Ask(GetRequest(path));
        EXPECT_EQ(response.status, 500) << path;
        EXPECT_THAT(response.body,
                    HasSubstr(path == std::string("/v1/throw") ? R"("code":"internal")"
                                                               : R"("error_code":"internal")"));
        EXPECT_THAT(response.body, Not(HasSubstr("thrown"))) << "what was thrown is for the log";
        EXPECT_TRUE(client.Closes());
    }
    RawClient client(port());
    EXPECT_EQ(client.Ask(GetRequest("/hello")).body, "hello");
    const std::lock_guard lock(room_->mutex);
    EXPECT_THAT(room_->exceptions, ElementsAre("thrown", "unknown exception", "thrown later"));
    EXPECT_EQ(server_->Totals().handler_exceptions, 3u);
}

TEST_F(ExchangeTest, AHandlerThatDoesNotAnswerIsAnsweredFor) {
    StartServer();
    RawClient client(port());
    EXPECT_EQ(client.Ask(GetRequest("/silent")).status, 500);
}

TEST_F(ExchangeTest, ASecondAnswerGoesNowhere) {
    StartServer();
    RawClient client(port());
    EXPECT_EQ(client.Ask(GetRequest("/twice")).body, "once");
    EXPECT_EQ(client.Ask(GetRequest("/hello")).body, "hello");
}

TEST_F(ExchangeTest, KnowsThePeer) {
    StartServer();
    RawClient client(port());
    EXPECT_EQ(client.Ask(GetRequest("/peer")).body, "127.0.0.1");
}

TEST_F(ExchangeTest, LargeBodiesGoBothWays) {
    StartServer();
    RawClient client(port());
    std::string body(8'000'000, 'x');
    for (std::size_t i = 0; i < body.size(); i += 997) body[i] = static_cast<char>('a' + i % 26);
    // Two in a row: the second on the memory that the first has left.
    for (int i = 0; i < 2; ++i) {
        const RawResponse response = client.Ask(PostRequest("/echo", body));
        EXPECT_TRUE(response.body == body);
    }
    EXPECT_EQ(client.Ask(GetRequest("/hello")).body, "hello");
}

}  // namespace
}  // namespace aim::http
