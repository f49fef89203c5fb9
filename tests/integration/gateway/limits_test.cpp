#include <atomic>
#include <thread>

#include <unistd.h>

#include "tests/integration/gateway/gateway_test_base.hpp"

namespace aim::gateway {
namespace {

using std::chrono::seconds;

TEST_F(GatewayTest, TenAtOncePassAndTheEleventhIsRefused) {
    AddModel("limited");
    const TemporaryFolder state;
    Service business =
        StartBusinessApi(state.path(), stack().data_api.port, {{"RATE_LIMIT_PER_MINUTE", "10"}});
    ASSERT_TRUE(Offers(business));
    std::atomic<int> passed{0};
    std::vector<std::thread> clients;
    for (int i = 0; i < 10; ++i) {
        clients.emplace_back([&] {
            passed +=
                business.Client().Post("/api/v1/prompts", R"({"prompt":"x"})", Key()).status == 200;
        });
    }
    for (std::thread& client : clients) client.join();
    EXPECT_EQ(passed.load(), 10);
    const HttpAnswer refused =
        business.Client().Post("/api/v1/prompts", R"({"prompt":"x"})", Key());
    ExpectNative(refused, 429, "rate_limited");
    EXPECT_GE(std::atoi(refused.Header("Retry-After").c_str()), 1);
    EXPECT_EQ(refused.Header("RateLimit-Limit"), "10");
    EXPECT_EQ(refused.Header("RateLimit-Remaining"), "0");
    EXPECT_GE(std::atoi(refused.Header("RateLimit-Reset").c_str()), 1);
    const HttpAnswer chat = business.Client().Post(
        "/v1/chat/completions", R"({"messages":[{"role":"user","content":"x"}]})", Key());
    ExpectOpenAi(chat, 429, "rate_limited");
    EXPECT_EQ(business.Client().Get("/api/v1/models").status, 200);  // reading is free
    EXPECT_EQ(provider().Requests().size(), 10U);
}

TEST_F(GatewayTest, APreflightIsAnsweredWithoutAKey) {
    const HttpHeaders headers = {{"Origin", "https://app.example"},
                                 {"Access-Control-Request-Method", "POST"},
                                 {"Access-Control-Request-Headers", "content-type,x-api-key"}};
    const HttpAnswer answer = business().Request("OPTIONS", "/api/v1/prompts", "", headers);
    EXPECT_EQ(answer.status, 204) << answer.body;
    EXPECT_NE(answer.Header("Access-Control-Allow-Origin"), "");
    EXPECT_NE(answer.Header("Access-Control-Allow-Methods").find("POST"), std::string::npos);
    EXPECT_NE(answer.Header("Access-Control-Allow-Headers"), "");
}

TEST_F(GatewayTest, TheCallersRequestIdIsKept) {
    AddModel("echo");
    HttpHeaders headers = Key();
    headers.emplace_back("X-Request-Id", "callers-own-1");
    const HttpAnswer answer = business().Post("/api/v1/prompts", R"({"prompt":"x"})", headers);
    EXPECT_EQ(answer.Header("X-Request-Id"), "callers-own-1");
    EXPECT_EQ(Json(answer.body).root().Get("request_id").StringOr(""), "callers-own-1");
    EXPECT_EQ(HistoryRow("callers-own-1").root().Get("status").StringOr(""), "success");
}

TEST_F(GatewayTest, PromptsGoOnWithoutTheDataApiAndAreDeliveredOnce) {
    AddModel("steady");
    const std::uint16_t port = test::FreePort();
    auto data_api = std::make_unique<Service>(StartDataApi(stack().database, port));
    const TemporaryFolder state;
    const TemporaryFolder cold_state;
    Service business = StartBusinessApi(state.path(), port);
    ASSERT_TRUE(Offers(business));
    const std::filesystem::path copy = state.path() / "catalogue.json";
    ASSERT_TRUE(Eventually([&] { return std::filesystem::exists(copy); }));

    EXPECT_EQ(data_api->process->Terminate(), 0);
    std::vector<std::string> ids;
    const auto ask = [&](const Service& service, int count) {
        for (int i = 0; i < count; ++i) {
            const HttpAnswer answer =
                service.Client().Post("/api/v1/prompts", R"({"prompt":"x"})", Key());
            EXPECT_EQ(answer.status, 200) << answer.body;
            ids.push_back(answer.Header("X-Request-Id"));
        }
    };
    const auto is_degraded = [](const Service& service) {
        const HttpAnswer ready = service.Client().Get("/ready");
        return ready.status == 200 &&
               Json(ready.body).root().Get("status").StringOr("") == "degraded";
    };
    ask(business, 5);
    EXPECT_TRUE(Eventually([&] { return is_degraded(business); }))
        << business.Client().Get("/ready").body;

    // Another one that has nothing but the copy.
    std::filesystem::copy_file(copy, cold_state.path() / "catalogue.json");
    Service cold = StartBusinessApi(cold_state.path(), port);
    ASSERT_TRUE(Offers(cold)) << cold.process->output();
    EXPECT_TRUE(Eventually([&] { return is_degraded(cold); })) << cold.Client().Get("/ready").body;
    ask(cold, 5);

    data_api = std::make_unique<Service>(StartDataApi(stack().database, port));
    for (const std::string& id : ids) HistoryRow(id);
    EXPECT_TRUE(Eventually([&] {
        return Json(business.Client().Get("/ready").body).root().Get("status").StringOr("") ==
               "ready";
    })) << business.Client().Get("/ready").body;
    std::string list;
    for (const std::string& id : ids) list.append(list.empty() ? "'" : ",'").append(id + "'");
    EXPECT_EQ(Sql("SELECT count(*) FROM prompt_history WHERE request_id IN (" + list + ")"), "10");
    EXPECT_EQ(Sql("SELECT count(*) FROM request_outcomes WHERE request_id IN (" + list + ")"),
              "10");
    EXPECT_EQ(Sql("SELECT total_requests FROM ai_models WHERE name = 'steady'"), "10");
}

TEST_F(GatewayTest, AProviderThatEchoesTheKeyDoesNotLeakIt) {
    AddModel("echoing");
    const std::string leak = "Incorrect API key provided: " + std::string(kCanary);
    provider().Script("echoing", R"({"status":401,"body":{"error":{"message":")" + leak +
                                     R"(","type":"invalid_request_error"}}})");
    const HttpAnswer native = Prompt(R"("prompt":"x","model":"echoing")");
    ExpectNative(native, 502, "all_models_failed");
    EXPECT_EQ(native.body.find(kCanary), std::string::npos) << native.body;
    for (const char* path : {"/ready", "/metrics", "/api/v1/plugins", "/api/v1/models"})
        EXPECT_EQ(business().Get(path, Key()).body.find(kCanary), std::string::npos) << path;
    EXPECT_EQ(stack().business_api.process->output().find(kCanary), std::string::npos);
}

TEST_F(GatewayTest, AKeyThatAProviderEchoesStaysOutOfTheHistory) {
    AddModel("echoing");
    provider().Script("echoing", R"({"status":401,"body":{"error":{"message":"Bad key )" +
                                     std::string(kCanary) + R"(","type":"x"}}})");
    const HttpAnswer answer = Prompt(R"("prompt":"x","model":"echoing")");
    EXPECT_EQ(HistoryRow(answer.Header("X-Request-Id")).root().ToJson().find(kCanary),
              std::string::npos);
}

TEST_F(GatewayTest, ASecretGoesToNoForeignHost) {
    AddModel("evil", "http://evil.invalid/openai/v1");
    const auto outcome = [&](const std::string& model) {
        const HttpAnswer answer =
            Prompt(R"("prompt":"x","fallback":false,"model":)" + Quote(model));
        ExpectNative(answer, 502, "all_models_failed");
        const json::Document document = Json(answer.body);
        return std::string(
            document.root().Get("context").Get("attempts").At(0).Get("outcome").StringOr(""));
    };
    EXPECT_EQ(outcome("evil"), "forbidden");
    // A name that may well lead to a server: nothing arrives there either.
    aim::testing::ServerOptions options;
    options.host = "0.0.0.0";
    FakeProvider thief(options);
    char name[256] = {};
    ASSERT_EQ(::gethostname(name, sizeof name - 1), 0);
    AddModel("thief", thief.url(name));
    EXPECT_EQ(outcome("thief"), "forbidden");
    EXPECT_TRUE(thief.Requests().empty());
    EXPECT_EQ(thief.Counters().connections_total.load(), 0U);
}

}  // namespace
}  // namespace aim::gateway
