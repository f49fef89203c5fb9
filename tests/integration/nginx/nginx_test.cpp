#include <atomic>

#include <gmock/gmock.h>

#include "tests/integration/nginx/nginx_fixture.hpp"
#include "tests/support/raw_server.hpp"

namespace aim::gateway {
namespace {

using aim::testing::RawServer;
using ::testing::HasSubstr;

class NginxTest : public GatewayTest {
  protected:
    NginxTest() : nginx_({stack().business_api.port}) {}

    Nginx nginx_;
};

HttpHeaders With(HttpHeaders headers, const std::string& name, const std::string& value) {
    headers.emplace_back(name, value);
    return headers;
}

TEST_F(NginxTest, PassesAStreamOnDeltaByDelta) {
    AddModel("stalling");
    // After "b" nothing more comes: what has arrived was not held back for the rest.
    provider().Script("stalling", R"({"text":"a b c d","chunks":4,"stall_after_chunks":2})");
    StreamReader stream(
        nginx_.service(), "/v1/chat/completions",
        R"({"stream":true,"model":"stalling","messages":[{"role":"user","content":"x"}]})");
    ASSERT_EQ(stream.head().status, 200) << stream.body();
    EXPECT_TRUE(stream.head().Header("Content-Type").starts_with("text/event-stream"));
    EXPECT_TRUE(stream.ReadUntil("\"content\":\"a")) << stream.body();
    EXPECT_EQ(stream.body().find("[DONE]"), std::string::npos);
    // And who leaves is noticed behind nginx too.
    stream.Leave();
    const std::string id = stream.head().Header("X-Request-Id");
    EXPECT_EQ(HistoryRow(id).root().Get("status").StringOr(""), "cancelled");
}

TEST_F(NginxTest, CarriesOneRequestIdThroughAnswerAndLogs) {
    AddModel("ok");
    HttpTestClient client = nginx_.Client();
    const HttpAnswer own = client.Post("/api/v1/prompts", R"({"prompt":"Hi","model":"ok"})",
                                       With(Key(), "X-Request-Id", "mine-0042.a"));
    ASSERT_EQ(own.status, 200) << own.body;
    EXPECT_EQ(own.Header("X-Request-Id"), "mine-0042.a");
    // What is no request id is replaced, not passed on.
    const HttpAnswer made = client.Post("/api/v1/prompts", R"({"prompt":"Hi","model":"ok"})",
                                        With(Key(), "X-Request-Id", "no good \"id\""));
    ASSERT_EQ(made.status, 200) << made.body;
    const std::string id = made.Header("X-Request-Id");
    EXPECT_EQ(id.size(), 32U) << id;
    for (const std::string& each : {std::string("mine-0042.a"), id}) {
        EXPECT_TRUE(Eventually([&] { return nginx_.LogLines(each).size() == 1; })) << each;
        EXPECT_TRUE(Eventually([&] {
            return stack().business_api.process->output().find(Quote(each)) != std::string::npos;
        })) << each;
    }
}

TEST_F(NginxTest, LeavesRefusalsToTheApi) {
    HttpTestClient client = nginx_.Client();
    const std::string body = R"({"prompt":")" + std::string(std::size_t{40} << 20, 'x') + "\"}";
    const HttpAnswer large = client.Post("/api/v1/prompts", body, Key());
    ExpectNative(large, 413, "body_too_large");
    const HttpAnswer direct = business().Post("/api/v1/prompts", body, Key());
    EXPECT_EQ(Json(large.body).root().Get("error").StringOr("nginx"),
              Json(direct.body).root().Get("error").StringOr("API"));
    ExpectNative(nginx_.Client().Post("/api/v1/prompts", R"({"prompt":"Hi"})"), 401,
                 "missing_api_key");
    ExpectNative(nginx_.Client().Get("/api/v1/nothing", Key()), 404, "not_found");
    // One path, one protocol, also when nobody is behind nginx.
    const Nginx alone({test::FreePort()});
    ExpectNative(alone.Client().Post("/api/v1/prompts", R"({"prompt":"Hi"})"), 503, "overloaded");
    ExpectOpenAi(alone.Client().Post("/v1/chat/completions", "{}"), 503, "overloaded");
    EXPECT_EQ(alone.Client().Get("/health").Header("Retry-After"), "1");
}

TEST_F(NginxTest, TellsTheApiWhoCalls) {
    AddModel("ok");
    TemporaryFolder state;
    Service trusting =
        StartBusinessApi(state.path(), stack().data_api.port,
                         {{"TRUSTED_PROXIES", "127.0.0.1"}, {"BUSINESS_API_HOST", "127.0.0.1"}});
    const Nginx front({trusting.port});
    // A caller cannot pass for somebody else: only the address that nginx saw arrives.
    const HttpAnswer answer = front.Client().Get(
        "/api/v1/models", {{"X-Forwarded-For", "203.0.113.9"}, {"X-Request-Id", "who-calls"}});
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(trusting.process->WaitForOutput("who-calls"));
    EXPECT_EQ(trusting.process->output().find("203.0.113.9"), std::string::npos);
}

TEST_F(NginxTest, SendsAPromptThatWasBegunToNobodyElse) {
    std::atomic<int> prompts{0};
    std::atomic<int> reads{0};
    const auto break_off = [&](RawServer::Peer& peer, int) {
        const std::string request = peer.ReadRequest();
        if (request.starts_with("POST")) prompts++;
        if (request.starts_with("GET")) reads++;
    };
    RawServer first(break_off);
    RawServer second(break_off);
    const Nginx front({first.port(), second.port()});
    const HttpAnswer answer = front.Client().Post("/api/v1/prompts", R"({"prompt":"Hi"})");
    EXPECT_EQ(answer.status, 502) << answer.body;
    EXPECT_EQ(Json(answer.body).root().Get("error_code").StringOr(""), "upstream_failure");
    EXPECT_EQ(prompts, 1);
    // Reading twice does no harm.
    EXPECT_EQ(front.Client().Get("/api/v1/models").status, 503);
    EXPECT_GT(reads, 1);
}

TEST_F(NginxTest, SendsWhatOneServerRefusedToTheOther) {
    std::atomic<int> refused{0};
    RawServer draining([&](RawServer::Peer& peer, int) {
        if (peer.ReadRequest().empty()) return;
        refused++;
        peer.Write(
            "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
    });
    RawServer serving([](RawServer::Peer& peer, int) {
        if (peer.ReadRequest().empty()) return;
        peer.Write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nfine");
    });
    const Nginx front({draining.port(), serving.port(), test::FreePort()});
    HttpTestClient client = front.Client();
    for (int i = 0; i < 30; ++i) {
        const HttpAnswer answer = client.Post("/api/v1/prompts", R"({"prompt":"Hi"})");
        ASSERT_EQ(answer.status, 200) << answer.body << front.Errors();
        EXPECT_EQ(answer.body, "fine");
    }
    // Once it has refused, it is left alone for two seconds by every worker together.
    EXPECT_GE(refused, 1);
    EXPECT_LT(refused, 15);
}

TEST_F(NginxTest, WaitsAsLongAsTheLongestAnswer) {
    for (const char* line : {"proxy_read_timeout 600s;", "proxy_send_timeout 600s;",
                             "send_timeout 600s;", "proxy_buffering off;", "keepalive 64;"})
        EXPECT_THAT(nginx_.Configuration(), HasSubstr(line));
    // Connections to the API are kept: twenty requests need few.
    HttpTestClient client = nginx_.Client();
    const auto connections = [&] { return nginx_.LogLines("/api/v1/models").size(); };
    for (int i = 0; i < 20; ++i) ASSERT_EQ(client.Get("/api/v1/models").status, 200);
    EXPECT_TRUE(Eventually([&] { return connections() == 20; }));
    EXPECT_EQ(client.connections(), 1);
}

}  // namespace
}  // namespace aim::gateway
