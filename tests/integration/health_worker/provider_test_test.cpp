// POST /api/v1/providers/test.
#include "tests/integration/gateway/gateway_test_base.hpp"

namespace aim::gateway {
namespace {

using std::chrono::seconds;

class ProviderTestTest : public GatewayTest {
  protected:
    HttpAnswer Test(std::string_view body = {}) {
        return business().Request("POST", "/api/v1/providers/test", body, Key());
    }
    static json::Value ResultOf(const json::Document& answer, std::string_view model) {
        for (const auto& [key, result] : answer.root().Get("results")) {
            if (result.Get("model").StringOr("") == model) return result;
        }
        return {};
    }
    // Of the fake provider; returns when the business API shows it in that state.
    void Insert(const std::string& name, const std::string& members, const std::string& state) {
        const HttpAnswer answer = data().Post(
            "/api/v1/models", R"({"name":)" + Quote(name) + R"(,"provider":"groq","endpoint":)" +
                                  Quote(provider().url()) + "," + members + "}");
        EXPECT_EQ(answer.status, 201) << answer.body;
        EXPECT_TRUE(Eventually([&] { return StateOf(name) == state; })) << StateOf(name);
    }
};

TEST_F(ProviderTestTest, EveryActiveModelHasAResult) {
    AddModel("good");
    AddModel("bad");
    AddModel("orphan", "", "nobody", "no_plugin");
    AddModel("mocked", "mock://x", "mock");
    Insert("inactive", R"("is_active":false)", "inactive");
    provider().Script("bad", R"([{"status":401,"body":{"error":{"message":"Bad key )" +
                                 std::string(kCanary) + R"("}}}])");
    const HttpAnswer answer = Test();
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.body.find(kCanary), std::string::npos) << answer.body;
    const json::Document document = Json(answer.body);
    EXPECT_EQ(document.root().Get("results").size(), 4U) << answer.body;
    EXPECT_EQ(document.root().Get("tested").Int64Or(-1), 3);
    EXPECT_EQ(document.root().Get("succeeded").Int64Or(-1), 2);
    for (const char* name : {"good", "mocked"}) {
        const json::Value result = ResultOf(document, name);
        EXPECT_TRUE(result.Get("success").BoolOr(false)) << answer.body;
        EXPECT_GE(result.Get("response_time_ms").Int64Or(-1), 0);
        EXPECT_TRUE(result.Get("error").IsNull());
        EXPECT_EQ(result.Get("state").StringOr(""), "available");
    }
    const json::Value failed = ResultOf(document, "bad");
    EXPECT_EQ(failed.Get("provider").StringOr(""), "groq");
    EXPECT_FALSE(failed.Get("success").BoolOr(true));
    EXPECT_TRUE(failed.Get("error").StringOr("").starts_with("unauthenticated: "));
    EXPECT_EQ(failed.Get("state").StringOr(""), "parked");
    const json::Value orphan = ResultOf(document, "orphan");
    EXPECT_FALSE(orphan.Get("success").BoolOr(true));
    EXPECT_TRUE(orphan.Get("response_time_ms").IsNull());
    EXPECT_EQ(orphan.Get("state").StringOr(""), "no_plugin");
    // Recorded as probes under the request's id, and in nobody's history.
    const std::string id = answer.Header("X-Request-Id");
    const auto recorded = [&] {
        return Sql(
            "SELECT count(*), count(*) FILTER (WHERE source = 'probe') FROM "
            "request_outcomes WHERE request_id = '" +
            id + "'");
    };
    EXPECT_TRUE(Eventually([&] { return recorded() == "3|3"; }, seconds(30))) << recorded();
    EXPECT_EQ(Sql("SELECT count(*) FROM prompt_history WHERE request_id = '" + id + "'"), "0");
}

TEST_F(ProviderTestTest, OnlyTheNamedProvidersAreAsked) {
    AddModel("of-groq");
    AddModel("of-mock", "mock://x", "mock");
    for (const char* body : {R"({"providers":["groq"]})", R"({"providers":["GROQ","Groq"]})"}) {
        const HttpAnswer answer = Test(body);
        ASSERT_EQ(answer.status, 200) << answer.body;
        const json::Document document = Json(answer.body);
        EXPECT_EQ(document.root().Get("results").size(), 1U) << answer.body;
        EXPECT_TRUE(ResultOf(document, "of-groq").Get("success").BoolOr(false)) << answer.body;
    }
    for (const char* body : {"{}", R"({"providers":null})"}) {
        const json::Document document = Json(Test(body).body);
        EXPECT_EQ(document.root().Get("results").size(), 2U) << body;
    }
}

TEST_F(ProviderTestTest, BadBodiesAreRefusedWithTheField) {
    AddModel("untouched");
    ExpectNative(Test(R"({"providers":["groq","acme"]})"), 400, "invalid_request");
    for (const char* body :
         {R"({"providers":["acme"]})", R"({"providers":[]})", R"({"providers":"groq"})",
          R"({"providers":[1]})", R"({"providers":[""]})"}) {
        const HttpAnswer answer = Test(body);
        ExpectNative(answer, 400, "invalid_request");
        EXPECT_EQ(Json(answer.body).root().Get("context").Get("field").StringOr(""), "providers")
            << answer.body;
    }
    ExpectNative(Test("[]"), 400, "invalid_request");
    ExpectNative(Test("{"), 400, "invalid_json");
    ExpectNative(business().Post("/api/v1/providers/test", "{}"), 401, "missing_api_key");
    ExpectNative(business().Request("GET", "/api/v1/providers/test", {}, Key()), 405,
                 "method_not_allowed");
    EXPECT_EQ(RequestsFor("untouched"), 0U);
}

TEST_F(ProviderTestTest, AParkedModelIsTestedAndComesBackAtOnce) {
    AddModel("parked");
    provider().Script("parked", R"([{"status":403}])");
    EXPECT_EQ(Prompt(R"("prompt":"x","model":"parked","fallback":false)").status, 502);
    EXPECT_EQ(StateOf("parked"), "parked");
    provider().Script("parked", R"([{"text":"OK"}])");
    const json::Document document = Json(Test().body);
    EXPECT_TRUE(ResultOf(document, "parked").Get("success").BoolOr(false));
    EXPECT_EQ(ResultOf(document, "parked").Get("state").StringOr(""), "available");
    EXPECT_EQ(Prompt(R"("prompt":"x","model":"parked","fallback":false)").status, 200);
}

TEST_F(ProviderTestTest, SettingsOfTheRowHold) {
    Insert("off", R"("settings":{"health_check":false})", "available");
    Insert("hangs", R"("settings":{"attempt_timeout_ms":250})", "available");
    provider().Script("hangs", R"([{"never_answer":true}])");
    const HttpAnswer answer = Test();
    ASSERT_EQ(answer.status, 200) << answer.body;
    const json::Document document = Json(answer.body);
    EXPECT_EQ(document.root().Get("tested").Int64Or(-1), 1);
    EXPECT_EQ(document.root().Get("succeeded").Int64Or(-1), 0);
    EXPECT_NE(ResultOf(document, "off").Get("error").StringOr("").find("health_check"),
              std::string::npos);
    EXPECT_TRUE(
        ResultOf(document, "hangs").Get("error").StringOr("").starts_with("upstream_timeout: "));
    EXPECT_EQ(RequestsFor("off"), 0U);
}

}  // namespace
}  // namespace aim::gateway
