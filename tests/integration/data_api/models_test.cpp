#include "tests/integration/data_api/data_api_test_base.hpp"

namespace aim::data_api {
namespace {

TEST_F(DataApiTest, AModelIsCreatedWithDefaultsAndReadBack) {
    Start();
    const HttpAnswer created =
        client().Post("/api/v1/models", R"({"name":"m-1","provider":"Together.ai"})");
    ASSERT_EQ(created.status, 201) << created.body;
    const json::Document document = Json(created);
    const json::Value model = document.root();
    const std::string id(model.Get("id").StringOr(""));
    EXPECT_EQ(created.Header("Location"), "/api/v1/models/" + id);
    EXPECT_EQ(Uuid::Parse(id)->version(), 7);
    EXPECT_EQ(model.Get("upstream_model").StringOr(""), "m-1");
    EXPECT_EQ(model.Get("endpoint").StringOr("?"), "");
    EXPECT_EQ(model.Get("is_active").AsBool(), true);
    EXPECT_EQ(model.Get("settings").ToJson(), "{}");
    EXPECT_TRUE(model.Get("capabilities").IsNull());
    EXPECT_TRUE(model.Get("context_window").IsNull());
    EXPECT_TRUE(model.Get("input_price_per_million").IsNull());
    EXPECT_EQ(model.Get("has_api_key").AsBool(), false);
    EXPECT_EQ(model.Get("reliability_score").AsDouble(), 100.0);
    EXPECT_EQ(model.Get("avg_response_time_ms").AsInt64(), 0);
    EXPECT_EQ(model.Get("error_rate_percent").AsDouble(), 0.0);
    EXPECT_EQ(model.Get("total_requests").AsInt64(), 0);
    EXPECT_TRUE(model.Get("last_check_at").IsNull());
    EXPECT_TRUE(model.Get("created_at").StringOr("").ends_with("Z"));
    EXPECT_GT(model.Get("version").Int64Or(0), 0);
    for (const std::string prefix : {"", "/api/v1"})
        EXPECT_EQ(client().Get(prefix + "/models/" + id).body, created.body);
}

TEST_F(DataApiTest, EveryFieldOfAModelIsKept) {
    Start();
    const HttpAnswer answer = client().Post(
        "/models",
        R"({"name":"модель \"q\" \\ {x}","provider":"groq","endpoint":"https://a.example/v1",
        "upstream_model":"u/m","is_active":false,"settings":{"attempt_timeout_ms":5000,"deep":{"a":[1,2]}},"context_window":131072,
        "capabilities":["stream","tools","stream"],"input_price_per_million":"0.590","output_price_per_million":0.79})");
    ASSERT_EQ(answer.status, 201) << answer.body;
    const json::Document document = Json(answer);
    const json::Value model = document.root();
    EXPECT_EQ(model.Get("name").StringOr(""), "модель \"q\" \\ {x}");
    EXPECT_EQ(model.Get("endpoint").StringOr(""), "https://a.example/v1");
    EXPECT_EQ(model.Get("upstream_model").StringOr(""), "u/m");
    EXPECT_EQ(model.Get("is_active").AsBool(), false);
    EXPECT_EQ(model.Get("settings").Get("attempt_timeout_ms").AsInt64(), 5000);
    EXPECT_EQ(model.Get("settings").Get("deep").Get("a").size(), 2U);
    EXPECT_EQ(model.Get("context_window").AsInt64(), 131072);
    EXPECT_EQ(model.Get("capabilities").ToJson(), R"(["stream","tools"])");
    EXPECT_EQ(model.Get("input_price_per_million").StringOr(""), "0.590");
    EXPECT_EQ(model.Get("output_price_per_million").StringOr(""), "0.79");
}

TEST_F(DataApiTest, BadModelsAreRefusedByField) {
    Start();
    const std::vector<std::tuple<std::string, std::string, std::string>> cases = {
        {R"({"provider":"groq"})", "invalid_request", "name"},
        {R"({"name":"a"})", "invalid_request", "provider"},
        {R"({"name":"","provider":"groq"})", "invalid_request", "name"},
        {R"({"name":"auto","provider":"groq"})", "invalid_request", "name"},
        {R"({"name":")" + std::string(101, 'n') + R"(","provider":"groq"})", "invalid_request",
         "name"},
        {R"({"name":7,"provider":"groq"})", "invalid_request", "name"},
        {R"({"name":"a\u0000b","provider":"groq"})", "invalid_request", "name"},
        {R"({"name":"a","provider":"groq","nmae":"b"})", "invalid_request", "nmae"},
        {R"({"name":"a","provider":"groq","id":"0"})", "invalid_request", "id"},
        {R"({"name":"a","provider":"groq","total_requests":5})", "invalid_request",
         "total_requests"},
        {R"({"name":"a","provider":"groq","endpoint":"ftp://x"})", "invalid_request", "endpoint"},
        {R"({"name":"a","provider":"groq","endpoint":"https://user:pw@x/"})", "invalid_request",
         "endpoint"},
        {R"({"name":"a","provider":"groq","settings":[]})", "invalid_request", "settings"},
        {R"({"name":"a","provider":"groq","settings":{"attempt_timeout_ms":"x"}})",
         "invalid_request", "settings.attempt_timeout_ms"},
        {R"({"name":"a","provider":"groq","context_window":0})", "invalid_request",
         "context_window"},
        {R"({"name":"a","provider":"groq","capabilities":["fly"]})", "invalid_request",
         "capabilities"},
        {R"({"name":"a","provider":"groq","input_price_per_million":"-1"})", "invalid_request",
         "input_price_per_million"},
        {R"({"name":"a","provider":"groq","output_price_per_million":"1e5"})", "invalid_request",
         "output_price_per_million"},
        {R"({"name":"a","provider":"groq","is_active":"yes"})", "invalid_request", "is_active"},
        {R"({"name":"a","provider":"groq","api_key":"sk-canary"})", "unsupported", "api_key"},
        {R"({"name":"a","name":"b","provider":"groq"})", "invalid_json", ""},
        {R"({"name":"a","provider":"groq")", "invalid_json", ""},
        {R"({"name":"a\ud800","provider":"groq"})", "invalid_json", ""},
        {R"([])", "invalid_request", ""},
        {"", "invalid_json", ""},
        {std::string(10000, '['), "invalid_json", ""},
        {"{\"name\":\"\xff\",\"provider\":\"groq\"}", "invalid_json", ""},
    };
    for (const auto& [body, code, field] : cases) {
        SCOPED_TRACE(body.substr(0, 120));
        const HttpAnswer answer = client().Post("/models", body);
        ExpectError(answer, 400, code, field);
        if (code != "invalid_request" || field.empty()) continue;
        EXPECT_TRUE(Json(answer).root().Get("error").StringOr("").starts_with(field + " "))
            << answer.body;
    }
    ExpectError(client().Post("/models", R"({"name":"a","provider":"groq"})",
                              {{"Content-Type", "text/plain"}}),
                415, "unsupported_media_type");
    EXPECT_EQ(Sql("SELECT count(*) FROM ai_models"), "0");
    EXPECT_EQ(process_->output().find("sk-canary"), std::string::npos);
    // A name of exactly 100 characters, in characters, not bytes.
    std::string name;
    for (int i = 0; i < 100; ++i) name += "ж";
    AddModel(name);
}

TEST_F(DataApiTest, ANameIsTakenOnce) {
    Start();
    const std::string first = AddModel("same");
    ExpectError(client().Post("/models", R"({"name":"same","provider":"groq"})"), 409,
                "duplicate_name", "name");
    const std::string second = AddModel("other");
    ExpectError(client().Request("PATCH", "/models/" + second, R"({"name":"same"})"), 409,
                "duplicate_name", "name");
    EXPECT_EQ(client().Request("PATCH", "/models/" + first, R"({"name":"same"})").status, 200);
}

TEST_F(DataApiTest, PatchMergesSettingsAndRaisesTheVersion) {
    Start();
    const std::string id = AddModel(
        "m",
        R"(,"settings":{"a":1,"b":2},"context_window":10,"capabilities":["stream"],"input_price_per_million":"1")");
    const std::int64_t version = Model(id).root().Get("version").Int64Or(0);
    HttpAnswer answer =
        client().Request("PATCH", "/api/v1/models/" + id,
                         R"({"settings":{"b":null,"c":{"d":1}},"is_active":false})");
    ASSERT_EQ(answer.status, 200) << answer.body;
    const json::Document patched = Json(answer);
    EXPECT_EQ(patched.root().Get("settings").ToJson(), R"({"a":1,"c":{"d":1}})");
    EXPECT_EQ(patched.root().Get("is_active").AsBool(), false);
    EXPECT_EQ(patched.root().Get("context_window").AsInt64(), 10);
    EXPECT_EQ(patched.root().Get("capabilities").ToJson(), R"(["stream"])");
    EXPECT_GT(patched.root().Get("version").Int64Or(0), version);
    answer = client().Request(
        "PATCH", "/models/" + id,
        R"({"context_window":null,"capabilities":null,"input_price_per_million":null,"endpoint":"http://127.0.0.1:1/v1","upstream_model":"u"})");
    ASSERT_EQ(answer.status, 200) << answer.body;
    const json::Document emptied = Json(answer);
    EXPECT_TRUE(emptied.root().Get("context_window").IsNull());
    EXPECT_TRUE(emptied.root().Get("capabilities").IsNull());
    EXPECT_TRUE(emptied.root().Get("input_price_per_million").IsNull());
    EXPECT_EQ(emptied.root().Get("endpoint").StringOr(""), "http://127.0.0.1:1/v1");
    EXPECT_EQ(emptied.root().Get("upstream_model").StringOr(""), "u");
    EXPECT_EQ(client().Request("PATCH", "/models/" + id, "{}").status, 200);
    ExpectError(client().Request("PATCH", "/models/" + id, R"({"nope":1})"), 400, "invalid_request",
                "nope");
    ExpectError(client().Request("PATCH", "/models/" + NewId().ToString(), "{}"), 404, "not_found");
    ExpectError(client().Request("PATCH", "/models/not-an-id", "{}"), 400, "invalid_id", "id");
}

TEST_F(DataApiTest, DeleteKeepsTheNameInTheHistory) {
    Start();
    const std::string id = AddModel("gone");
    EXPECT_EQ(client()
                  .Post("/history",
                        R"({"prompt_text":"p","status":"success","ai_model_id":")" + id + "\"}")
                  .status,
              201);
    EXPECT_EQ(client().Request("DELETE", "/models/" + id).status, 204);
    ExpectError(client().Request("DELETE", "/models/" + id), 404, "not_found");
    ExpectError(client().Get("/models/" + id), 404, "not_found");
    const json::Document history = Json(client().Get("/history"));
    EXPECT_EQ(history.root().Get("items").At(0).Get("model_name").StringOr(""), "gone");
    EXPECT_EQ(history.root().Get("items").At(0).Get("ai_model_id").StringOr(""), id);
}

TEST_F(DataApiTest, TheListIsBestFirstAndFiltered) {
    Start();
    const std::string slow = AddModel("a-slow");
    const std::string fresh = AddModel("b-fresh");
    const std::string used = AddModel("c-used");
    const std::string off = AddModel("d-off", R"(,"is_active":false)");
    client().Post("/models/" + slow + "/stats", R"({"response_time_ms":2500,"success":true})");
    client().Post("/models/" + used + "/stats", R"({"response_time_ms":0,"success":true})");
    const auto names = [&](const std::string& target) {
        std::string all;
        const json::Document list = Json(client().Get(target));
        EXPECT_TRUE(list.root().IsArray());
        for (const auto& [key, model] : list.root())
            all.append(model.Get("name").StringOr("")).append(" ");
        return all;
    };
    // b-fresh and c-used and d-off have 100; fewer requests go first, then the name.
    EXPECT_EQ(names("/models"), "b-fresh d-off c-used a-slow ");
    EXPECT_EQ(names("/api/v1/models?is_active=true"), "b-fresh c-used a-slow ");
    EXPECT_EQ(names("/models?active_only=true"), "b-fresh c-used a-slow ");
    EXPECT_EQ(names("/models?is_active=false"), "d-off ");
    EXPECT_EQ(names("/models?active_only=false"), "b-fresh d-off c-used a-slow ");
    ExpectError(client().Get("/models?is_active=maybe"), 400, "invalid_request", "is_active");
    ExpectError(client().Get("/models?include=everything"), 400, "invalid_request", "include");
    ExpectError(client().Get("/models?include=ciphertext"), 403, "forbidden", "include");

    const auto best = [&](const std::string& query) {
        return client().Get("/models/best" + query);
    };
    EXPECT_EQ(Json(best("")).root().Get("id").StringOr(""), fresh);
    EXPECT_EQ(Json(best("?exclude=" + fresh)).root().Get("id").StringOr(""), used);
    EXPECT_EQ(Json(best("?exclude=" + fresh + "&exclude=" + used)).root().Get("id").StringOr(""),
              slow);
    ExpectError(best("?exclude=" + fresh + "&exclude=" + used + "&exclude=" + slow), 404,
                "not_found");
    ExpectError(best("?exclude=x"), 400, "invalid_id", "exclude");
}

TEST_F(DataApiTest, TheEtagChangesWithEveryChangeOnly) {
    Start();
    const std::string id = AddModel("a");
    std::string etag = client().Get("/models").Header("ETag");
    ASSERT_FALSE(etag.empty());
    const auto unchanged = [&] {
        const HttpAnswer answer = client().Get("/models", {{"If-None-Match", etag}});
        if (answer.status == 304) {
            EXPECT_EQ(answer.Header("ETag"), etag);
            EXPECT_TRUE(answer.body.empty());
            return true;
        }
        EXPECT_EQ(answer.status, 200);
        etag = answer.Header("ETag");
        return false;
    };
    EXPECT_TRUE(unchanged());
    EXPECT_EQ(client().Get("/models", {{"If-None-Match", "W/\"x\", " + etag}}).status, 304);
    client().Post("/models/" + id + "/increment-success", "");
    EXPECT_FALSE(unchanged());
    EXPECT_TRUE(unchanged());
    client().Request("PATCH", "/models/" + id, R"({"is_active":false})");
    EXPECT_FALSE(unchanged());
    // A row in place of another one: the number of rows is the same.
    client().Request("DELETE", "/models/" + id);
    AddModel("b");
    EXPECT_FALSE(unchanged());
    Sql("UPDATE ai_models SET is_active = is_active");
    EXPECT_FALSE(unchanged());
    // Another database with equal rows has other ETags.
    EXPECT_TRUE(unchanged());
    Sql("UPDATE database_identity SET id = gen_random_uuid()");
    EXPECT_FALSE(unchanged());
}

TEST_F(DataApiTest, StatsFollowTheFormula) {
    Start();
    const std::string id = AddModel("m");
    HttpAnswer answer;
    for (int i = 0; i < 3; ++i)
        answer = client().Post("/models/" + id + "/stats",
                               R"({"response_time_ms":1000,"success":true})");
    answer = client().Post("/api/v1/models/" + id + "/stats",
                           R"({"response_time_ms":2000,"success":false})");
    ASSERT_EQ(answer.status, 200) << answer.body;
    const json::Document document = Json(answer);
    const json::Value model = document.root();
    EXPECT_EQ(model.Get("total_requests").AsInt64(), 4);
    EXPECT_EQ(model.Get("successful_requests").AsInt64(), 3);
    EXPECT_EQ(model.Get("failed_requests").AsInt64(), 1);
    EXPECT_EQ(model.Get("avg_response_time_ms").AsInt64(), 1250);
    EXPECT_EQ(model.Get("error_rate_percent").AsDouble(), 25.0);
    // 75 x 0.6 + (100 - 1250/50) x 0.4
    EXPECT_EQ(model.Get("reliability_score").AsDouble(), 75.0);
    EXPECT_FALSE(model.Get("last_check_at").IsNull());
    EXPECT_FALSE(model.Get("last_success_at").IsNull());

    const json::Document failed = Json(client().Post("/models/" + id + "/increment-failure", ""));
    EXPECT_EQ(failed.root().Get("total_requests").AsInt64(), 5);
    EXPECT_EQ(failed.root().Get("avg_response_time_ms").AsInt64(),
              1250);  // no time given: as it was
    const json::Document timed =
        Json(client().Post("/models/" + id + "/increment-success", R"({"response_time_ms":6250})"));
    EXPECT_EQ(timed.root().Get("total_requests").AsInt64(), 6);
    EXPECT_EQ(timed.root().Get("avg_response_time_ms").AsInt64(), 2250);
    EXPECT_EQ(timed.root().Get("timed_requests").AsInt64(), 5);

    const json::Document stats = Json(client().Get("/models/" + id + "/stats"));
    for (const char* field :
         {"model_id", "name", "provider", "total_requests", "successful_requests",
          "failed_requests", "success_rate", "avg_response_time_ms", "reliability_score",
          "last_24h_requests", "last_check_at"}) {
        EXPECT_TRUE(stats.root().Get(field).exists()) << field;
    }
    EXPECT_EQ(stats.root().Get("success_rate").AsDouble(), 66.67);

    ExpectError(client().Post("/models/" + id + "/stats", R"({"success":true})"), 400,
                "invalid_request", "response_time_ms");
    ExpectError(client().Post("/models/" + id + "/stats", R"({"response_time_ms":1})"), 400,
                "invalid_request", "success");
    ExpectError(
        client().Post("/models/" + id + "/stats", R"({"response_time_ms":-1,"success":true})"), 400,
        "invalid_request", "response_time_ms");
    ExpectError(
        client().Post("/models/" + id + "/stats", R"({"response_time_ms":1,"success":true,"x":1})"),
        400, "invalid_request", "x");
    ExpectError(
        client().Post("/models/" + id + "/increment-success", R"({"response_time_ms":"x"})"), 400,
        "invalid_request", "response_time_ms");
    ExpectError(client().Post("/models/" + NewId().ToString() + "/increment-success", ""), 404,
                "not_found");
    ExpectError(client().Get("/models/" + NewId().ToString() + "/stats"), 404, "not_found");
}

TEST_F(DataApiTest, TheDaysRequestsAreCountedFromOutcomes) {
    Start();
    const std::string id = AddModel("m");
    const std::string other = AddModel("n");
    Ledger(Batch({Outcome(NewId(), id), Outcome(NewId(), id, "overloaded"),
                  Outcome(NewId(), id, "success", R"("source_":1,"counts":false)"),
                  Outcome(NewId(), id, "success", R"("occurred_at":"2020-01-01T00:00:00Z")")}),
           4, 0);
    const json::Document list = Json(client().Get("/models?include=last_24h"));
    ASSERT_EQ(list.root().size(), 2U);
    for (const auto& [key, model] : list.root()) {
        EXPECT_EQ(model.Get("last_24h_requests").Int64Or(-1),
                  model.Get("id").StringOr("") == other ? 0 : 3);
    }
    EXPECT_FALSE(Json(client().Get("/models")).root().At(0).Get("last_24h_requests").exists());
    const json::Document stats = Json(client().Get("/api/v1/models/stats?window=24h"));
    EXPECT_EQ(stats.root().size(), 2U);
    EXPECT_EQ(
        Json(client().Get("/models/" + id + "/stats")).root().Get("last_24h_requests").AsInt64(),
        3);
}

// However many rows the outcomes' table has grown: it is not looked at.
TEST_F(DataApiTest, TheDaysRequestsAreCountedWithoutTheOutcomesThemselves) {
    Start();
    const std::string id = AddModel("m");
    const auto counted = [&] {
        const auto of_one = Json(client().Get("/models/" + id + "/stats"));
        const auto of_all = Json(client().Get("/models/stats"));
        EXPECT_EQ(of_all.root().At(0).Get("last_24h_requests").Int64Or(-1),
                  of_one.root().Get("last_24h_requests").Int64Or(-2));
        return of_one.root().Get("last_24h_requests").Int64Or(-2);
    };
    EXPECT_EQ(counted(), 0);
    const std::string again = Outcome(NewId(), id);
    Ledger(Batch({again, Outcome(NewId(), id)}), 2, 0);
    Ledger(Batch({again, Outcome(NewId(), id)}), 1, 1);
    EXPECT_EQ(counted(), 3);
    Sql("TRUNCATE request_outcomes");
    EXPECT_EQ(counted(), 3);
    // A sender whose clock is ahead counts as now.
    Ledger(Batch({Outcome(NewId(), id, "success", R"("occurred_at":"2100-01-01T00:00:00Z")")}), 1,
           0);
    EXPECT_EQ(Sql("SELECT count(*) FROM outcome_slices WHERE slice > now()"), "0");
    EXPECT_EQ(counted(), 4);
}

TEST_F(DataApiTest, TheDaysRequestsEndWithTheDay) {
    Start();
    const std::string id = AddModel("m");
    Sql("INSERT INTO outcome_slices SELECT '" + id +
        "', outcome_slice(now() - age), n FROM (VALUES (interval '0', 1), (interval '23 hours', "
        "10), (interval '25 hours', 100), (interval '3 days', 1000)) AS drawn (age, n)");
    EXPECT_EQ(
        Json(client().Get("/models/" + id + "/stats")).root().Get("last_24h_requests").AsInt64(),
        11);
    EXPECT_EQ(Json(client().Get("/models/stats")).root().At(0).Get("last_24h_requests").AsInt64(),
              11);
    // The supervisor clears away at its start what no count needs, and then every hour.
    process_->Terminate();
    Start();
    EXPECT_TRUE(process_->WaitUntil([&] {
        return Sql("SELECT string_agg(outcomes::text, ' ' ORDER BY outcomes) FROM "
                   "outcome_slices") == "1 10";
    }));
}

}  // namespace
}  // namespace aim::data_api
