// Points 1 to 10: the programs, the bot and the REST API.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <regex>
#include <set>

#include <gmock/gmock.h>

#include "tests/integration/acceptance/acceptance_test_base.hpp"

namespace aim::gateway {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::StartsWith;

const std::set<std::string> kSeeded{"deepseek-v3.1", "gemini-2.5-flash", "gpt-oss-120b",
                                    "llama-3.1-8b",  "llama-3.3-70b",    "llama-3.3-70b-fast",
                                    "mock-fast",     "mock-flaky",       "mock-steady"};

TEST_F(AcceptanceTest, Point01_OneCommandStartsEveryProgram) {
    Point(1, "one command starts every program");
    struct Program {
        const char* name;
        const char* file;
    };
    const auto running = test::ProcessTree(installation().pid());
    for (const auto& [name, file] : {Program{"postgres", "postgres"},
                                     {"data-api", "aimanager-data-api"},
                                     {"business-api", "aimanager-business-api"},
                                     {"health-worker", "aimanager-health-worker"},
                                     {"telegram-bot", "aimanager-telegram-bot"}}) {
        const pid_t pid = installation().PidOf(name);
        const auto process = std::find_if(running.begin(), running.end(),
                                          [&](const auto& each) { return each.pid == pid; });
        ASSERT_NE(process, running.end()) << name;
        EXPECT_EQ(process->program, file);
        EXPECT_EQ(process->parent, installation().pid()) << name;
    }
    // As a service of compose in front; here a command of its own.
    const auto proxy = test::ProcessTree(installation().nginx_pid());
    ASSERT_GE(proxy.size(), 2U);  // with a worker at least
    EXPECT_EQ(proxy.front().program, "nginx");
}

TEST_F(AcceptanceTest, Point02_EveryProgramSaysThatItIsReady) {
    Point(2, "every program says that it is ready");
    struct Program {
        HttpTestClient client;
        const char* service;
    };
    Program programs[] = {{installation().DataApi(), "aimanager_data_postgres_api"},
                          {installation().Front(), "aimanager_business_api"},
                          {installation().Worker(), "aimanager_health_worker"},
                          {installation().Bot(), "aimanager_telegram_bot"}};
    for (auto& [client, service] : programs) {
        const HttpAnswer health = client.Get("/health");
        EXPECT_EQ(health.status, 200) << service << health.body;
        EXPECT_EQ(Json(health.body).root().Get("status").StringOr(""), "ok") << health.body;
        EXPECT_EQ(Json(health.body).root().Get("service").StringOr(""), service);
        HttpAnswer ready;
        EXPECT_TRUE(Eventually(
            [&] {
                ready = client.Get("/ready");
                return ready.status == 200 &&
                       Json(ready.body).root().Get("status").StringOr("") == "ready";
            },
            seconds(30)))
            << service << ready.body;
    }
    EXPECT_EQ(installation().Front().Get("/nginx-health").status, 200);
    EXPECT_EQ(installation().Sql("SELECT 'ready'"), "ready");
}

TEST_F(AcceptanceTest, Point03_MigrationsAndFirstModelsAreAppliedByThemselves) {
    Point(3, "migrations and first models are applied by themselves");
    const std::filesystem::directory_iterator migrations(AIM_SOURCE_DIR "/sql/migrations");
    EXPECT_EQ(installation().Sql("SELECT count(*) FROM schema_migrations"),
              std::to_string(std::distance(begin(migrations), end(migrations))));
    EXPECT_EQ(installation().Sql("SELECT count(*) FROM unnest(ARRAY['ai_models','prompt_history',"
                                 "'request_outcomes','api_keys']) t WHERE to_regclass(t) IS NULL"),
              "0");
    EXPECT_EQ(installation().Sql("SELECT seeded_at IS NOT NULL FROM database_identity"), "t");
    std::string names;
    for (const std::string& name : kSeeded) names += (names.empty() ? "" : "\n") + name;
    EXPECT_EQ(installation().Sql("SELECT name FROM ai_models ORDER BY name COLLATE \"C\""), names);
}

TEST_F(AcceptanceTest, Point04_TheBotWelcomesInRussian) {
    Point(4, "/start is answered with a welcome in Russian");
    constexpr std::int64_t kUser = 4004;
    installation().telegram().Say(kUser, "/start");
    ASSERT_TRUE(installation().telegram().WaitForText(kUser, "/help"));
    const std::string welcome = installation().telegram().LastFromBot(kUser).visible;
    EXPECT_THAT(welcome, StartsWith("Добро пожаловать в AI Manager Platform! 🤖\n"));
    EXPECT_THAT(welcome, HasSubstr("Отправьте мне любой промпт"));
    EXPECT_THAT(welcome, HasSubstr("/stats - статистика моделей\n"));
    EXPECT_THAT(welcome, HasSubstr("/help - справка"));
}

TEST_F(AcceptanceTest, Point05_TheBotAnswersAPromptWithModelTimeAndRating) {
    Point(5, "a prompt to the bot is answered with the model's name, time and rating");
    constexpr std::int64_t kUser = 4005;
    const std::string text = "Квантовые компьютеры используют принципы квантовой механики.";
    AddModel("mistral-7b");
    installation().provider().Script("mistral-7b", "{\"text\":" + Quote(text) + "}");
    installation().telegram().Say(kUser, "Объясни квантовые компьютеры простыми словами");
    ASSERT_TRUE(installation().telegram().WaitForText(kUser, "Рейтинг модели"))
        << installation().telegram().Transcript(kUser);
    const std::string answer = installation().telegram().LastFromBot(kUser).visible;
    std::smatch found;
    ASSERT_TRUE(std::regex_match(
        answer, found,
        std::regex("🤖 Обрабатываю через модель \"mistral-7b\"\\.\\.\\.\n\n" + text +
                   "\n\n✅ Модель: mistral-7b\n⏱ Время обработки: [0-9]+\\.[0-9] сек\n"
                   "⭐ Рейтинг модели: ([0-9.]+)")))
        << answer;
    EXPECT_NEAR(std::stod(found[1]), ListedScore("mistral-7b"), 0.001);
    EXPECT_EQ(RequestsFor("mistral-7b"), 1U);
}

TEST_F(AcceptanceTest, Point06_TheBotShowsStatistics) {
    Point(6, "/stats shows the models' statistics");
    constexpr std::int64_t kUser = 4006;
    installation().telegram().Say(kUser, "/stats");
    ASSERT_TRUE(installation().telegram().WaitForText(kUser, "Обновлено"));
    const std::string page = installation().telegram().LastFromBot(kUser).visible;
    EXPECT_THAT(page, StartsWith("📊 Статистика AI моделей:\n\n1. "));
    EXPECT_TRUE(std::regex_search(
        page, std::regex("\n\nОбновлено: [0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2} UTC$")))
        << page;
    const std::regex block(
        "([0-9]+)\\. (\\S+) \\(([^)]+)\\)\n   ⭐ Рейтинг: ([0-9.]+)\n   ⏱ Ср. время: [0-9]+ мс\n"
        "   ✅ Успешно: [0-9.]+%\n");
    std::set<std::string> names;
    double above = 100;
    for (std::sregex_iterator at(page.begin(), page.end(), block), end; at != end; ++at) {
        names.insert((*at)[2]);
        EXPECT_EQ((*at)[1], std::to_string(names.size()));
        EXPECT_LE(std::stod((*at)[4]), above) << "not best first: " << page;
        above = std::stod((*at)[4]);
    }
    EXPECT_EQ(names, kSeeded) << page;
}

TEST_F(AcceptanceTest, Point07_SwaggerUiIsShown) {
    const HttpAnswer page = front().Get("/docs");
    const bool is_swagger = page.body.find("id=\"swagger-ui\"") != std::string::npos;
    Point(7, is_swagger ? "/docs shows Swagger UI"
                        : "/docs shows the plain list (Swagger UI was not fetched)");
    ASSERT_EQ(page.status, 200);
    EXPECT_THAT(page.Header("Content-Type"), StartsWith("text/html"));
    // All that the page loads is there.
    const std::regex part("(?:src|href)=\"(docs/[^\"]+)\"");
    std::string parts;
    for (std::sregex_iterator at(page.body.begin(), page.body.end(), part), end; at != end; ++at) {
        const HttpAnswer file = front().Get("/" + (*at)[1].str());
        EXPECT_EQ(file.status, 200) << (*at)[1];
        parts += file.body;
    }
    EXPECT_THAT(parts, HasSubstr(is_swagger ? "SwaggerUIBundle" : "openapi.json"));
    const HttpAnswer description = front().Get("/openapi.json");
    const json::Document api = Json(description.body);
    EXPECT_THAT(std::string(api.root().Get("openapi").StringOr("")), StartsWith("3.1"));
    EXPECT_TRUE(api.root().Get("paths").Get("/api/v1/prompts").Get("post").exists());
}

TEST_F(AcceptanceTest, Point08_APromptByRestNeedsAKey) {
    Point(8, "POST /api/v1/prompts answers with an API key, and with 401 without");
    const std::string body =
        R"({"prompt":"Explain quantum computing in simple terms","user_id":"api_client_123","max_tokens":500})";
    const HttpAnswer answer = front().Post("/api/v1/prompts", body, Key());
    ASSERT_EQ(answer.status, 200) << answer.body;
    const json::Document document = Json(answer.body);
    const json::Value root = document.root();
    EXPECT_FALSE(root.Get("response").StringOr("").empty()) << answer.body;
    const json::Value model = root.Get("model_used");
    EXPECT_TRUE(kSeeded.contains(std::string(model.Get("name").StringOr("")))) << answer.body;
    EXPECT_FALSE(model.Get("id").StringOr("").empty());
    EXPECT_FALSE(model.Get("provider").StringOr("").empty());
    EXPECT_GT(model.Get("reliability_score").DoubleOr(0), 0);
    EXPECT_GE(root.Get("processing_time_ms").Int64Or(-1), 0);
    EXPECT_EQ(root.Get("request_id").StringOr("none"), answer.Header("X-Request-Id"));

    // The first models serve vectors too.
    const HttpAnswer vectors =
        front().Post("/v1/embeddings", R"({"model":"auto","input":["one","two"]})", Key());
    ASSERT_EQ(vectors.status, 200) << vectors.body;
    EXPECT_EQ(Json(vectors.body).root().Get("model").StringOr(""), "mock-fast");
    EXPECT_EQ(Json(vectors.body).root().Get("data").size(), 2U);

    const HttpAnswer without = front().Post("/api/v1/prompts", body);
    EXPECT_EQ(without.status, 401);
    EXPECT_EQ(Json(without.body).root().Get("error_code").StringOr(""), "missing_api_key");
    const HttpAnswer wrong = front().Post("/api/v1/prompts", body, {{"X-API-Key", "guessed"}});
    EXPECT_EQ(wrong.status, 401);
    EXPECT_EQ(Json(wrong.body).root().Get("error_code").StringOr(""), "invalid_api_key");
}

TEST_F(AcceptanceTest, Point09_ModelsAreListedWithRatings) {
    Point(9, "GET /api/v1/models lists the models with ratings");
    const HttpAnswer answer = front().Get("/api/v1/models");
    ASSERT_EQ(answer.status, 200);
    const json::Document models = Json(answer.body);
    std::set<std::string> names;
    double above = 100;
    for (const auto& [key, model] : models.root()) {
        names.insert(std::string(model.Get("name").StringOr("")));
        const double score = model.Get("reliability_score").DoubleOr(-1);
        EXPECT_GE(score, 0);
        EXPECT_LE(score, above) << "not best first: " << answer.body;
        above = score;
        std::set<std::string> fields;
        for (const auto& [field, value] : model) fields.insert(std::string(field));
        EXPECT_THAT(fields, IsSupersetOf({"id", "name", "provider", "reliability_score",
                                          "avg_response_time_ms", "error_rate_percent",
                                          "total_requests", "is_active", "last_check_at"}));
    }
    EXPECT_EQ(names, kSeeded);
}

TEST_F(AcceptanceTest, Point10_APreflightPasses) {
    Point(10, "CORS: a page of another origin may call");
    const HttpHeaders asking = {{"Origin", "https://app.example"},
                                {"Access-Control-Request-Method", "POST"},
                                {"Access-Control-Request-Headers", "content-type,x-api-key"}};
    const HttpAnswer preflight = front().Request("OPTIONS", "/api/v1/prompts", {}, asking);
    EXPECT_EQ(preflight.status, 204);
    EXPECT_EQ(preflight.Header("Access-Control-Allow-Origin"), "*");
    EXPECT_THAT(preflight.Header("Access-Control-Allow-Methods"), HasSubstr("POST"));
    EXPECT_THAT(preflight.Header("Access-Control-Allow-Headers"), HasSubstr("x-api-key"));
    // What follows it carries the permission too, refusals included.
    for (const char* target : {"/api/v1/models", "/api/v1/prompts/history"}) {
        const HttpAnswer answer = front().Get(target, {asking[0]});
        EXPECT_EQ(answer.Header("Access-Control-Allow-Origin"), "*") << target;
    }
}

}  // namespace
}  // namespace aim::gateway
