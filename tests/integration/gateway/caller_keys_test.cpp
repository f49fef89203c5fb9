#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/integration/gateway/gateway_test_base.hpp"

namespace aim::gateway {
namespace {

using std::chrono::seconds;

struct CallerKey {
    std::string id;
    std::string secret;
};

class CallerKeysTest : public GatewayTest {
  protected:
    // A key by the data API, under a name of its own.
    static CallerKey Create(const Service& data_api, const std::string& more = "") {
        static int number = 0;
        const HttpAnswer answer = data_api.Client().Post(
            "/api/v1/keys", R"({"name":"caller-)" + std::to_string(++number) + "\"" + more + "}");
        EXPECT_EQ(answer.status, 201) << answer.body;
        const json::Document key = Json(answer.body);
        return {std::string(key.root().Get("id").StringOr("")),
                std::string(key.root().Get("secret").StringOr(""))};
    }
    CallerKey Create(const std::string& more = "") { return Create(stack().data_api, more); }
    // A key that the business API knows already.
    CallerKey CreateKnown(const std::string& more = "") {
        CallerKey key = Create(more);
        EXPECT_TRUE(Eventually([&] { return Ask(key.secret) == 200; }));
        return key;
    }
    static HttpHeaders With(const std::string& secret) { return {{"X-API-Key", secret}}; }
    // The status of GET /v1/models, which any valid key may have.
    static int Ask(const Service& business_api, const std::string& secret) {
        return business_api.Client().Get("/v1/models", With(secret)).status;
    }
    int Ask(const std::string& secret) { return Ask(stack().business_api, secret); }

    static std::string ErrorCode(const HttpAnswer& answer) {
        return std::string(Json(answer.body).root().Get("error_code").StringOr(""));
    }
    // The prompts of a page of the caller's history; its next cursor in `cursor`.
    std::string Page(const std::string& secret, const std::string& query, std::string& cursor) {
        const HttpAnswer answer = business().Get("/api/v1/prompts/history" + query, With(secret));
        EXPECT_EQ(answer.status, 200) << answer.body;
        const json::Document page = Json(answer.body);
        std::string prompts;
        for (const auto& [index, item] : page.root().Get("items"))
            prompts.append(item.Get("prompt_text").StringOr("?")).append(" ");
        cursor = page.root().Get("next_cursor").StringOr("");
        return prompts;
    }
    std::string Page(const std::string& secret) {
        std::string cursor;
        return Page(secret, "?limit=200", cursor);
    }
};

TEST_F(CallerKeysTest, AKeyWorksSoonAfterItWasCreatedAndStopsSoonAfterItWasRevoked) {
    AddModel("keyed");
    const CallerKey key = Create();
    ASSERT_TRUE(Eventually([&] { return Ask(key.secret) == 200; }));
    const HttpAnswer answer =
        business().Post("/api/v1/prompts", R"({"prompt":"x"})", With(key.secret));
    EXPECT_EQ(answer.status, 200) << answer.body;
    const json::Document row = HistoryRow(answer.Header("X-Request-Id"));
    EXPECT_EQ(row.root().Get("key_id").StringOr(""), key.id);
    EXPECT_EQ(data().Request("DELETE", "/api/v1/keys/" + key.id).status, 204);
    ASSERT_TRUE(Eventually([&] { return Ask(key.secret) == 401; }));
    EXPECT_EQ(Ask(std::string(kCallerKey)), 200);
    EXPECT_EQ(stack().business_api.process->output().find(key.secret), std::string::npos);
    EXPECT_EQ(stack().data_api.process->output().find(key.secret), std::string::npos);
}

TEST_F(CallerKeysTest, ScopesAreHeldAndNamed) {
    AddModel("scoped");
    const CallerKey prompts = CreateKnown(R"(,"scopes":["prompts"])");
    const CallerKey admin = CreateKnown(R"(,"scopes":["admin"])");
    const auto status = [&](const CallerKey& key, const std::string& method,
                            const std::string& path, const std::string& body) {
        return business().Request(method, path, body, With(key.secret));
    };
    const std::string prompt = R"({"prompt":"x"})";
    EXPECT_EQ(status(prompts, "POST", "/api/v1/prompts", prompt).status, 200);
    for (const char* path : {"/api/v1/prompts/history", "/api/v1/plugins"}) {
        const HttpAnswer refused = status(prompts, "GET", path, "");
        ExpectNative(refused, 403, "forbidden");
    }
    ExpectNative(status(prompts, "POST", "/api/v1/plugins/rescan", ""), 403, "forbidden");
    const HttpAnswer history = status(prompts, "GET", "/api/v1/prompts/history", "");
    EXPECT_EQ(Json(history.body).root().Get("context").Get("scope").StringOr(""), "history");
    EXPECT_EQ(status(admin, "GET", "/api/v1/plugins", "").status, 200);
    ExpectNative(status(admin, "POST", "/api/v1/prompts", prompt), 403, "forbidden");
    ExpectOpenAi(status(admin, "POST", "/v1/chat/completions",
                        R"({"messages":[{"role":"user","content":"x"}]})"),
                 403, "forbidden");
}

TEST_F(CallerKeysTest, AKeysOwnLimitHolds) {
    AddModel("limited");
    const CallerKey limited = CreateKnown(R"(,"rate_limit_per_minute":2)");
    const auto ask = [&](const std::string& secret) {
        return business().Post("/api/v1/prompts", R"({"prompt":"x"})", With(secret));
    };
    EXPECT_EQ(ask(limited.secret).Header("RateLimit-Limit"), "2");
    EXPECT_EQ(ask(limited.secret).status, 200);
    const HttpAnswer refused = ask(limited.secret);
    ExpectNative(refused, 429, "rate_limited");
    EXPECT_GE(std::atoi(refused.Header("Retry-After").c_str()), 1);
    EXPECT_EQ(ask(std::string(kCallerKey)).status, 200);  // no limit in this stack
}

TEST_F(CallerKeysTest, KeysWithoutALimitPassWhereOthersDoNot) {
    AddModel("limited");
    const TemporaryFolder state;
    const Service business_api =
        StartBusinessApi(state.path(), stack().data_api.port,
                         {{"RATE_LIMIT_PER_MINUTE", "1"}, {"BOT_API_KEY", "the-key-of-the-bot"}});
    const CallerKey free = Create(R"(,"rate_limit_per_minute":0)");
    ASSERT_TRUE(Eventually(
        [&] {
            return Ask(business_api, free.secret) == 200 &&
                   business_api.Client().Get("/api/v1/models").body.find("\"available\"") !=
                       std::string::npos;
        },
        seconds(30)));
    const auto ask = [&](const std::string& secret, const std::string& address = "") {
        HttpHeaders headers = With(secret);
        if (!address.empty()) headers.emplace_back("X-Forwarded-For", address);
        return business_api.Client().Post("/api/v1/prompts", R"({"prompt":"x"})", headers).status;
    };
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(ask(free.secret), 200);
        EXPECT_EQ(ask("the-key-of-the-bot"), 200);
    }
    EXPECT_EQ(ask(std::string(kCallerKey)), 200);
    EXPECT_EQ(ask(std::string(kCallerKey)), 429);
    // Nobody said that this peer is a proxy: what it says of others is nothing.
    EXPECT_EQ(ask(std::string(kCallerKey), "203.0.113.7"), 429);
}

TEST_F(CallerKeysTest, BehindATrustedProxyTheClientsAddressCounts) {
    AddModel("limited");
    const TemporaryFolder state;
    const Service business_api =
        StartBusinessApi(state.path(), stack().data_api.port,
                         {{"RATE_LIMIT_PER_MINUTE", "1"}, {"TRUSTED_PROXIES", "127.0.0.0/8, ::1"}});
    ASSERT_TRUE(Eventually(
        [&] {
            return business_api.Client().Get("/api/v1/models").body.find("\"available\"") !=
                   std::string::npos;
        },
        seconds(30)));
    const auto ask = [&](const std::string& forwarded) {
        HttpHeaders headers = Key();
        headers.emplace_back("X-Forwarded-For", forwarded);
        return business_api.Client().Post("/api/v1/prompts", R"({"prompt":"x"})", headers).status;
    };
    EXPECT_EQ(ask("203.0.113.7"), 200);
    EXPECT_EQ(ask("203.0.113.7"), 429);
    EXPECT_EQ(ask("2001:db8::7"), 200);
    // What the client itself has written stands further left, and is not believed.
    EXPECT_EQ(ask("198.51.100.1, 203.0.113.7"), 429);
    EXPECT_TRUE(business_api.process->WaitForOutput("\"client\":\"2001:db8::7\""))
        << business_api.process->output();
}

TEST_F(CallerKeysTest, ACallerSeesTheRowsOfItsKeyOnly) {
    AddModel("remembered");
    const CallerKey mine = CreateKnown();
    const CallerKey other = CreateKnown();
    const auto ask = [&](const std::string& secret, const std::string& text) {
        const HttpAnswer answer =
            business().Post("/api/v1/prompts", R"({"prompt":")" + text + "\"}", With(secret));
        EXPECT_EQ(answer.status, 200) << answer.body;
        HistoryRow(answer.Header("X-Request-Id"));
    };
    ask(mine.secret, "m1");
    ask(other.secret, "o1");
    ask(std::string(kCallerKey), "bootstraps-own");
    ask(mine.secret, "m2");
    ask(mine.secret, "m3");
    EXPECT_EQ(Page(mine.secret), "m3 m2 m1 ");
    EXPECT_EQ(Page(other.secret), "o1 ");
    const std::string bootstrap = Page(std::string(kCallerKey));
    EXPECT_NE(bootstrap.find("bootstraps-own "), std::string::npos);
    EXPECT_EQ(bootstrap.find("m1 "), std::string::npos);

    std::string cursor;
    EXPECT_EQ(Page(mine.secret, "?limit=2", cursor), "m3 m2 ");
    ASSERT_FALSE(cursor.empty());
    EXPECT_EQ(Page(mine.secret, "?limit=2&cursor=" + cursor, cursor), "m1 ");
    EXPECT_TRUE(cursor.empty());
    // No parameter widens what is seen.
    EXPECT_EQ(Page(other.secret, "?key_id=" + mine.id + "&limit=20&user_id=x", cursor), "o1 ");
}

TEST_F(CallerKeysTest, AWrongPageIsNamed) {
    for (const auto& [query, field] :
         std::map<std::string, std::string>{{"?limit=0", "limit"},
                                            {"?limit=201", "limit"},
                                            {"?limit=ten", "limit"},
                                            {"?limit=", "limit"},
                                            {"?cursor=nonsense", "cursor"},
                                            {"?cursor=%26key_id%3Dx", "cursor"},
                                            {"?cursor=", "cursor"}}) {
        const HttpAnswer answer = business().Get("/api/v1/prompts/history" + query, Key());
        ExpectNative(answer, 400, "invalid_request");
        EXPECT_EQ(Json(answer.body).root().Get("context").Get("field").StringOr(""), field)
            << query << answer.body;
    }
    ExpectNative(business().Get("/api/v1/prompts/history"), 401, "missing_api_key");
}

TEST_F(CallerKeysTest, KeysOutliveTheDataApiInTheCopyOnDisk) {
    auto data_api = std::make_unique<Service>(StartDataApi(stack().database));
    const std::uint16_t port = data_api->port;
    const CallerKey key = Create(*data_api);
    const TemporaryFolder state;
    const std::filesystem::path copy = state.path() / "api_keys.json";
    {
        const Service business_api = StartBusinessApi(state.path(), port);
        ASSERT_TRUE(Eventually(
            [&] { return Ask(business_api, key.secret) == 200 && std::filesystem::exists(copy); },
            seconds(30)));
        EXPECT_EQ(data_api->process->Terminate(), 0);
        EXPECT_EQ(Ask(business_api, key.secret), 200);
        const HttpAnswer history =
            business_api.Client().Get("/api/v1/prompts/history", With(key.secret));
        ExpectNative(history, 503, "database_unavailable");
        EXPECT_FALSE(history.Header("Retry-After").empty());
    }
    const auto mode = std::filesystem::status(copy).permissions();
    EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    std::ifstream file(copy);
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    EXPECT_NE(text.find(key.id), std::string::npos);
    EXPECT_EQ(text.find(key.secret), std::string::npos);

    const Service warm = StartBusinessApi(state.path(), port);
    EXPECT_EQ(Ask(warm, key.secret), 200);
    EXPECT_EQ(Ask(warm, "nobodys-key-at-all-1"), 401);

    // Without a copy nothing is known of any key but ours.
    const TemporaryFolder empty;
    {
        const Service cold = StartBusinessApi(empty.path(), port);
        const HttpAnswer unknown = cold.Client().Get("/api/v1/prompts/history", With(key.secret));
        ExpectNative(unknown, 503, "cannot_verify_key");
        EXPECT_FALSE(unknown.Header("Retry-After").empty());
        EXPECT_EQ(Ask(cold, std::string(kCallerKey)), 200);
    }

    // A copy that is broken is no copy.
    std::ofstream(empty.path() / "api_keys.json") << "{\"keys\":[";
    const Service broken = StartBusinessApi(empty.path(), port);
    EXPECT_TRUE(broken.process->WaitForOutput("key_copy_unreadable"));
    EXPECT_EQ(Ask(broken, key.secret), 503);
}

TEST_F(CallerKeysTest, TheDataApiIsToldWhichKeysWereUsed) {
    const CallerKey used = CreateKnown();
    const CallerKey unused = Create();
    EXPECT_EQ(Ask(used.secret), 200);
    const auto last = [&](const CallerKey& key) {
        return Json(data().Get("/api/v1/keys/" + key.id).body)
            .root()
            .Get("last_used_at")
            .AsString()
            .has_value();
    };
    EXPECT_TRUE(Eventually([&] { return last(used); }, seconds(30)));
    EXPECT_FALSE(last(unused));
}

TEST_F(CallerKeysTest, ARotatedKeyHasTwoSecretsForAWhile) {
    const CallerKey key = CreateKnown();
    const auto rotate = [&](const std::string& grace) {
        const HttpAnswer answer =
            data().Post("/api/v1/keys/" + key.id + "/rotate", R"({"grace_ms":)" + grace + "}");
        EXPECT_EQ(answer.status, 200) << answer.body;
        return std::string(Json(answer.body).root().Get("secret").StringOr(""));
    };
    const std::string second = rotate("600000");
    EXPECT_TRUE(Eventually([&] { return Ask(second) == 200; }));
    EXPECT_EQ(Ask(key.secret), 200);
    const std::string third = rotate("0");
    EXPECT_TRUE(Eventually([&] { return Ask(third) == 200 && Ask(second) == 401; }));
    EXPECT_EQ(Ask(key.secret), 401);
}

}  // namespace
}  // namespace aim::gateway
