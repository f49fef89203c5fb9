#include "tests/integration/gateway/gateway_test_base.hpp"

namespace aim::gateway {
namespace {

using std::chrono::seconds;

constexpr std::string_view kPrompt = R"({"prompt":"x"})";

bool MetricsHave(const Service& business, const std::string& line) {
    return business.Client().Get("/metrics").body.find(line + "\n") != std::string::npos;
}

// For who does not wait for the answer.
std::string RequestOf(const std::string& body) {
    return "POST /api/v1/prompts HTTP/1.1\r\nHost: h\r\nContent-Type: "
           "application/json\r\nX-API-Key: " +
           std::string(kCallerKey) + "\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

HttpHeaders WithType(std::string type) {
    return {{"X-API-Key", std::string(kCallerKey)}, {"Content-Type", std::move(type)}};
}

TEST_F(GatewayTest, ABodyThatSaysItIsNotJsonGets415ThatSaysWhatToSend) {
    AddModel("plain");
    for (const char* type :
         {"application/x-www-form-urlencoded", "text/plain", "application/xml"}) {
        SCOPED_TRACE(type);
        const HttpAnswer native =
            business().Request("POST", "/api/v1/prompts", std::string(kPrompt), WithType(type));
        ExpectNative(native, 415, "unsupported_media_type");
        EXPECT_NE(native.body.find("Content-Type: application/json"), std::string::npos)
            << native.body;
    }
    ExpectOpenAi(business().Request("POST", "/v1/chat/completions", "{}", WithType("text/xml")),
                 415, "unsupported_media_type");
    EXPECT_TRUE(provider().Requests().empty());
    for (const char* type :
         {"application/json; charset=utf-8", "Application/JSON", "application/vnd.api+json"}) {
        SCOPED_TRACE(type);
        EXPECT_EQ(business()
                      .Request("POST", "/api/v1/prompts", std::string(kPrompt), WithType(type))
                      .status,
                  200);
    }
    // Who has no key learns nothing.
    ExpectNative(business().Request("POST", "/api/v1/prompts", std::string(kPrompt),
                                    {{"Content-Type", "text/plain"}}),
                 401, "missing_api_key");
}

TEST_F(GatewayTest, ALiteralPathOfTheDataApiHasOnlyItsOwnMethods) {
    for (const char* path : {"/models/best", "/api/v1/models/best"}) {
        SCOPED_TRACE(path);
        for (const char* method : {"DELETE", "PATCH", "POST"}) {
            const HttpAnswer answer = data().Request(method, path, "", {});
            EXPECT_EQ(answer.status, 405) << answer.body;
            EXPECT_EQ(answer.Header("Allow"), "GET, HEAD");
        }
    }
    EXPECT_EQ(data().Request("DELETE", "/models/not-an-id", "", {}).status, 400);
}

TEST_F(GatewayTest, BeyondMaxInFlightPromptsGet503AtOnce) {
    AddModel("silent");
    provider().Script("silent", R"({"never_answer":true})");
    const TemporaryFolder state;
    Service business =
        StartBusinessApi(state.path(), stack().data_api.port, {{"MAX_IN_FLIGHT", "1"}});
    ASSERT_TRUE(Offers(business));
    HttpTestClient first = business.Client();
    ASSERT_TRUE(first.Send(RequestOf(std::string(kPrompt))));
    ASSERT_TRUE(provider().WaitForRequests(1));
    EXPECT_TRUE(MetricsHave(business, "aimanager_in_flight_prompts 1"));
    EXPECT_TRUE(MetricsHave(business, "aimanager_limit{of=\"in_flight_prompts\"} 1"));
    const HttpAnswer refused =
        business.Client().Post("/api/v1/prompts", std::string(kPrompt), Key());
    ExpectNative(refused, 503, "overloaded");
    EXPECT_GE(std::atoi(refused.Header("Retry-After").c_str()), 1);
    EXPECT_TRUE(MetricsHave(business, "aimanager_prompts_refused_total{reason=\"overloaded\"} 1"));
    first.Close();
    EXPECT_TRUE(Eventually([&] { return MetricsHave(business, "aimanager_in_flight_prompts 0"); }));
}

TEST_F(GatewayTest, LargeBodiesBeyondTheirBoundGet503AndSmallOnesAreServed) {
    AddModel("silent");
    AddModel("well");
    provider().Script("silent", R"({"never_answer":true})");
    provider().Script("well", R"({"text":"Fine."})");
    const TemporaryFolder state;
    Service business =
        StartBusinessApi(state.path(), stack().data_api.port,
                         {{"MAX_BODY_BYTES", "200000"}, {"MAX_BODIES_BYTES", "250000"}});
    ASSERT_TRUE(Offers(business));
    const auto prompt = [](const std::string& model, std::size_t size) {
        return "{\"prompt\":\"" + std::string(size, 'p') + "\",\"model\":\"" + model + "\"}";
    };
    const std::string large = prompt("silent", 150'000);
    HttpTestClient first = business.Client();
    ASSERT_TRUE(first.Send(RequestOf(large)));
    ASSERT_TRUE(provider().WaitForRequests(1));
    EXPECT_TRUE(
        MetricsHave(business, "aimanager_http_bodies_bytes " + std::to_string(large.size())));
    EXPECT_TRUE(MetricsHave(business, "aimanager_limit{of=\"http_bodies_bytes\"} 250000"));
    const HttpAnswer refused =
        business.Client().Post("/api/v1/prompts", prompt("well", 150'000), Key());
    ExpectNative(refused, 503, "overloaded");
    EXPECT_EQ(refused.Header("Retry-After"), "1");
    EXPECT_EQ(business.Client().Post("/api/v1/prompts", prompt("well", 1000), Key()).status, 200);
    first.Close();
    EXPECT_TRUE(Eventually([&] { return MetricsHave(business, "aimanager_http_bodies_bytes 0"); }));
    EXPECT_EQ(business.Client().Post("/api/v1/prompts", prompt("well", 150'000), Key()).status,
              200);
}

TEST_F(GatewayTest, BeyondTheConnectionsToOneHostPromptsWaitForOne) {
    AddModel("silent");
    AddModel("well");
    provider().Script("silent", R"({"never_answer":true})");
    provider().Script("well", R"({"text":"Fine."})");
    const TemporaryFolder state;
    Service business =
        StartBusinessApi(state.path(), stack().data_api.port,
                         {{"UPSTREAM_CONNECTIONS_PER_HOST", "1"}, {"ENGINE_THREADS", "1"}});
    ASSERT_TRUE(Offers(business));
    EXPECT_TRUE(MetricsHave(business, "aimanager_limit{of=\"upstream_connections_per_origin\"} 1"));
    const auto ask = [](std::string_view model) {
        return RequestOf(R"({"prompt":"Hello","model":")" + std::string(model) + "\"}");
    };
    HttpTestClient first = business.Client();
    ASSERT_TRUE(first.Send(ask("silent")));
    ASSERT_TRUE(provider().WaitForRequests(1));
    HttpTestClient second = business.Client();
    ASSERT_TRUE(second.Send(ask("well")));
    EXPECT_TRUE(
        Eventually([&] { return MetricsHave(business, "aimanager_upstream_pool_waiting 1"); }));
    EXPECT_EQ(provider().Requests().size(), 1U);
    first.Close();
    const std::optional<HttpAnswer> answer = second.ReadAnswer();
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->status, 200) << answer->body;
}

TEST_F(GatewayTest, ADrainedStreamIsReadToItsEndAndRecordedAsCancelled) {
    const std::string id = AddModel("slow");
    provider().Script("slow", R"({"text":"a b c d e f g h","chunk_delay_ms":100})");
    const TemporaryFolder state;
    Service business =
        StartBusinessApi(state.path(), stack().data_api.port, {{"ON_DISCONNECT", "drain"}});
    ASSERT_TRUE(Offers(business));
    StreamReader stream(
        business, "/v1/chat/completions",
        R"({"stream":true,"model":"slow","messages":[{"role":"user","content":"Say it"}]})");
    ASSERT_TRUE(stream.ReadUntil("\"a")) << stream.body();
    stream.Leave();
    const json::Document row = HistoryRow(stream.head().Header("X-Request-Id"));
    EXPECT_EQ(row.root().Get("status").StringOr(""), "cancelled");
    EXPECT_EQ(row.root().Get("response_text").StringOr(""), "a b c d e f g h");
    const auto requests = provider().Requests();
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_TRUE(requests[0].answered);
    EXPECT_FALSE(requests[0].client_closed_after_ms.has_value());
    EXPECT_EQ(Json(data().Get("/models/" + id).body).root().Get("successful_requests").Int64Or(-1),
              1);
}

TEST_F(GatewayTest, TheBoundsAndTheUpstreamClientAreInTheMetrics) {
    AddModel("m");
    ASSERT_EQ(Prompt(R"("prompt":"x")").status, 200);
    const std::string page = business().Get("/metrics").body;
    for (const char* name :
         {"aimanager_rate_limit_clients", "aimanager_rate_limit_refused_total",
          "aimanager_upstream_connections_open", "aimanager_upstream_connections_idle",
          "aimanager_upstream_connections_created_total",
          "aimanager_upstream_connections_reused_total", "aimanager_upstream_pool_waiting",
          "aimanager_upstream_requests_total", "aimanager_resolver_cache",
          "aimanager_resolver_queue", "aimanager_draining_attempts",
          "aimanager_limit{of=\"ledger_queue_bytes\"}"}) {
        EXPECT_NE(page.find("\n" + std::string(name) + " "), std::string::npos) << name;
    }
    EXPECT_EQ(page.find("\naimanager_upstream_requests_total 0\n"), std::string::npos);
}

}  // namespace
}  // namespace aim::gateway
