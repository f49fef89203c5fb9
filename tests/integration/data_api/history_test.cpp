#include <set>

#include "tests/integration/data_api/data_api_test_base.hpp"

namespace aim::data_api {
namespace {

TEST_F(DataApiTest, AHistoryRowIsStoredWithEveryField) {
    Start();
    const std::string id = NewId().ToString();
    const std::string model = AddModel("m");
    const std::string body =
        R"({"id":")" + id +
        R"(","request_id":"req-1","user_id":"telegram_42","username":"anna","prompt_text":"привет",
        "response_text":"да","ai_model_id":")" +
        model +
        R"(","model_name":"m","processing_duration_ms":12,"status":"success","error_message":null,
        "prompt_tokens":3,"completion_tokens":4,"attempts":2,"created_at":"2026-11-21T10:30:45.123Z"})";
    const HttpAnswer stored = client().Post("/api/v1/prompts/history", body);
    ASSERT_EQ(stored.status, 201) << stored.body;
    const json::Document document = Json(stored);
    const json::Value row = document.root();
    EXPECT_EQ(row.Get("id").StringOr(""), id);
    EXPECT_EQ(row.Get("user_telegram_id").AsInt64(), 42);
    EXPECT_EQ(row.Get("prompt_text").StringOr(""), "привет");
    EXPECT_EQ(row.Get("attempts").AsInt64(), 2);
    EXPECT_EQ(row.Get("created_at").StringOr(""), "2026-11-21T10:30:45.123Z");
    // The same id again changes nothing.
    const HttpAnswer again = client().Post(
        "/history", R"({"id":")" + id + R"(","prompt_text":"other","status":"error"})");
    EXPECT_EQ(again.status, 200);
    EXPECT_EQ(again.body, stored.body);
    const json::Document made = Json(client().Post(
        "/history", R"({"prompt_text":"p","status":"cancelled","user_telegram_id":7})"));
    EXPECT_EQ(Uuid::Parse(made.root().Get("id").StringOr(""))->version(), 7);
    EXPECT_EQ(made.root().Get("user_telegram_id").AsInt64(), 7);
}

TEST_F(DataApiTest, BadHistoryRowsAreRefusedByField) {
    Start();
    const std::vector<std::tuple<std::string, std::string, std::string>> cases = {
        {R"({"status":"success"})", "invalid_request", "prompt_text"},
        {R"({"prompt_text":"p"})", "invalid_request", "status"},
        {R"({"prompt_text":"p","status":"fine"})", "invalid_request", "status"},
        {R"({"prompt_text":5,"status":"success"})", "invalid_request", "prompt_text"},
        {R"({"prompt_text":"p","status":"success","promt_tokens":1})", "invalid_request",
         "promt_tokens"},
        {R"({"prompt_text":"p","status":"success","prompt_tokens":-1})", "invalid_request",
         "prompt_tokens"},
        {R"({"prompt_text":"p","status":"success","id":"x"})", "invalid_id", "id"},
        {R"({"prompt_text":"p","status":"success","created_at":"yesterday"})", "invalid_request",
         "created_at"},
        {R"({"prompt_text":"p","status":"success","attempts":"two"})", "invalid_request",
         "attempts"},
        {R"([1])", "invalid_request", ""},
    };
    for (const auto& [body, code, field] : cases) {
        SCOPED_TRACE(body);
        ExpectError(client().Post("/history", body), 400, code, field);
    }
    ExpectError(client().Get("/history?limit=0"), 400, "invalid_request", "limit");
    ExpectError(client().Get("/history?limit=201"), 400, "invalid_request", "limit");
    ExpectError(client().Get("/history?limit=x"), 400, "invalid_request", "limit");
    ExpectError(client().Get("/history?cursor=x"), 400, "invalid_request", "cursor");
    ExpectError(client().Get("/history?status=fine"), 400, "invalid_request", "status");
    ExpectError(client().Get("/history?model_id=x"), 400, "invalid_id", "model_id");
    EXPECT_EQ(Json(client().Get("/history")).root().Get("items").size(), 0U);
}

TEST_F(DataApiTest, PagesAreNewestFirstAndStableUnderInserts) {
    Start();
    const auto store = [&](int n, const std::string& second) {
        const HttpAnswer answer = client().Post(
            "/history", R"({"prompt_text":")" + std::to_string(n) +
                            R"(","status":"success","created_at":"2026-11-21T10:00:)" + second +
                            "Z\"}");
        ASSERT_EQ(answer.status, 201) << answer.body;
    };
    // Four at each microsecond-exact time, so that the id must break ties.
    for (int n = 0; n < 40; ++n)
        store(n, (n / 4 < 10 ? "0" : "") + std::to_string(n / 4) + ".123457");
    std::set<std::string> seen;
    std::string cursor;
    std::string last_time = "9";
    int pages = 0;
    do {
        const json::Document page = Json(
            client().Get("/prompts/history?limit=7" + (cursor.empty() ? "" : "&cursor=" + cursor)));
        EXPECT_LE(page.root().Get("items").size(), 7U);
        for (const auto& [key, item] : page.root().Get("items")) {
            EXPECT_TRUE(seen.emplace(item.Get("prompt_text").StringOr("")).second)
                << "twice: " << item.Get("prompt_text").StringOr("");
            EXPECT_LE(std::string(item.Get("created_at").StringOr("")), last_time);
            last_time = item.Get("created_at").StringOr("");
        }
        cursor = page.root().Get("next_cursor").StringOr("");
        store(1000 + pages, "59");  // newer rows come in meanwhile
        ASSERT_LT(++pages, 20);
    } while (!cursor.empty());
    EXPECT_EQ(seen.size(), 40U);
    EXPECT_EQ(pages, 6);
}

TEST_F(DataApiTest, HistoryFiltersCombine) {
    Start();
    const std::string model = AddModel("m");
    const auto store = [&](const std::string& text, const std::string& more) {
        ASSERT_EQ(
            client().Post("/history", R"({"prompt_text":")" + text + "\"," + more + "}").status,
            201);
    };
    store("1", R"("status":"success","user_id":"u1","ai_model_id":")" + model + "\"");
    store("2", R"("status":"error","user_id":"u1")");
    store("3", R"("status":"success","user_id":"o'; DROP TABLE prompt_history; --")");
    store("4", R"("status":"success","key_id":"k1","user_id":"u1")");
    const auto texts = [&](const std::string& query) {
        std::set<std::string> all;
        const json::Document page = Json(client().Get("/history" + query));
        for (const auto& [key, item] : page.root().Get("items"))
            all.emplace(item.Get("prompt_text").StringOr(""));
        return all;
    };
    using Set = std::set<std::string>;
    EXPECT_EQ(texts("?user_id=u1"), (Set{"1", "2", "4"}));
    EXPECT_EQ(texts("?user_id=u1&status=success"), (Set{"1", "4"}));
    EXPECT_EQ(texts("?model_id=" + model), (Set{"1"}));
    EXPECT_EQ(texts("?key_id=k1"), (Set{"4"}));
    EXPECT_EQ(texts("?user_id=o%27%3B+DROP+TABLE+prompt_history%3B+--"), (Set{"3"}));
    EXPECT_EQ(texts(""), (Set{"1", "2", "3", "4"}));
}

TEST_F(DataApiTest, PoisonIsStoredReplacedAndLongTextsAreCut) {
    Start({{"HISTORY_TEXT_MAX", "4096"}});
    const json::Document poison = Json(client().Post(
        "/history",
        R"({"prompt_text":"a\u0000b\ud800c\udc00d\ud83d\ude00e\\u0000","status":"success"})"));
    EXPECT_EQ(poison.root().Get("prompt_text").StringOr(""), "a\uFFFDb\uFFFDc\uFFFDd😀e\\u0000");
    std::string text;
    for (int i = 0; i < 5000; ++i) text += "ж";
    const json::Document cut =
        Json(client().Post("/history", R"({"prompt_text":")" + text + R"(","status":"success"})"));
    const std::string_view kept = cut.root().Get("prompt_text").StringOr("");
    EXPECT_LE(kept.size(), 4096U);
    EXPECT_GT(kept.size(), 4000U);
    EXPECT_NE(kept.find("[cut: the text had 10000 bytes]"), std::string_view::npos);
    ExpectError(
        client().Post("/history", "{\"prompt_text\":\"a\xED\xA0\x80\",\"status\":\"success\"}"),
        400, "invalid_json");
    ExpectError(client().Post("/history",
                              std::string("{\"prompt_text\":\"a\0\",\"status\":\"success\"}", 39)),
                400, "invalid_json");
}

}  // namespace
}  // namespace aim::data_api
