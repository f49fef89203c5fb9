#include "services/telegram_bot/pages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/json/json.hpp"

namespace aim::telegram_bot {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const WallTime kNow{std::chrono::microseconds(1737109800000000)};  // 2025-01-17T10:30:00Z

json::Document Json(std::string_view text) {
    auto document = json::Parse(text);
    EXPECT_TRUE(document) << text;
    return document ? std::move(*document) : json::Document();
}

TEST(PagesTest, StatsLookAsAskedFor) {
    const json::Document stats = Json(
        R"([{"name":"mistral-7b","provider":"HuggingFace","reliability_score":95.5,"avg_response_time_ms":1234,"success_rate":98.5},
            {"name":"llama-3-8b","provider":"Together.ai","reliability_score":92.3,"avg_response_time_ms":1456,"success_rate":96.2}])");
    EXPECT_EQ(StatsPage(stats.root(), kNow),
              "📊 Статистика AI моделей:\n"
              "\n"
              "1. mistral-7b (HuggingFace)\n"
              "   ⭐ Рейтинг: 95.5\n"
              "   ⏱ Ср. время: 1234 мс\n"
              "   ✅ Успешно: 98.5%\n"
              "\n"
              "2. llama-3-8b (Together.ai)\n"
              "   ⭐ Рейтинг: 92.3\n"
              "   ⏱ Ср. время: 1456 мс\n"
              "   ✅ Успешно: 96.2%\n"
              "\n"
              "Обновлено: 2025-01-17 10:30 UTC");
}

TEST(PagesTest, OddStatsMakeAPageToo) {
    EXPECT_THAT(StatsPage(Json("[]").root(), kNow), HasSubstr("Моделей пока нет"));
    EXPECT_THAT(StatsPage(Json(R"([{"name":7},null,"x"])").root(), kNow), HasSubstr("Рейтинг: —"));
    std::string many = "[";
    for (int i = 0; i < 60; ++i) many += std::string(i == 0 ? "" : ",") + "{\"name\":\"m\"}";
    const std::string page = StatsPage(Json(many + "]").root(), kNow);
    EXPECT_THAT(page, HasSubstr("50. m"));
    EXPECT_THAT(page, Not(HasSubstr("51. m")));
    EXPECT_THAT(page, HasSubstr("И ещё моделей: 10"));
}

TEST(PagesTest, AdminSeesStatesChecksAndErrors) {
    const json::Document models = Json(
        R"([{"name":"a","provider":"groq","state":"available","error_rate_percent":1.25},
            {"name":"b","provider":"gemini","state":"not_configured","state_reason":"GOOGLE_AI_STUDIO_API_KEY is not set","error_rate_percent":0},
            {"name":"c","state":"new_state"}])");
    const json::Document ready = Json(
        R"({"status":"degraded","checks":{"data_api":{"status":"down","detail":"refused"},"plugins":{"loaded":7,"refused":[]}}})");
    const json::Document history = Json(
        R"({"items":[{"status":"success"},{"status":"error","model_name":"a","error_message":"boom\nagain","created_at":"2025-01-17T10:29:00.000Z"}]})");
    const std::deque<RecentError> own{{kNow, "no answer"}};
    const std::string page = AdminPage(models.root(), ready.root(), history.root(), own);
    EXPECT_THAT(page, HasSubstr("• a (groq): 🟢 доступна, ошибок 1.25%"));
    EXPECT_THAT(page,
                HasSubstr("• b (gemini): ⚪ не настроена — GOOGLE_AI_STUDIO_API_KEY is not set"));
    EXPECT_THAT(page, HasSubstr("❔ new_state"));
    EXPECT_THAT(page, HasSubstr("🔴 data_api: refused"));
    EXPECT_THAT(page, HasSubstr("• 2025-01-17 10:29 UTC a: boom again"));
    EXPECT_THAT(page, HasSubstr("• 2025-01-17 10:30 UTC бот: no answer"));
    const std::string nothing = AdminPage({}, {}, {}, {});
    EXPECT_THAT(nothing, HasSubstr("недоступно"));
    EXPECT_THAT(nothing, HasSubstr("Последние ошибки: нет"));
}

TEST(PagesTest, TheKeyboardOffersWhatIsAvailable) {
    const std::string id = "0190a000-0000-7000-8000-000000000001";
    const json::Document models =
        Json("[{\"id\":\"" + id +
             "\",\"name\":\"a\",\"state\":\"available\"},"
             R"({"id":"0190a000-0000-7000-8000-000000000002","name":"b","state":"parked"},
           {"id":"short","name":"c","state":"available"}])");
    const auto choices = AvailableModels(models.root());
    ASSERT_EQ(choices.size(), 1U);
    const json::Document keyboard = Json(ModelKeyboard(choices, "a"));
    const json::Value rows = keyboard.root().Get("inline_keyboard");
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows.At(0).At(0).Get("callback_data").StringOr(""), "m:auto");
    EXPECT_EQ(rows.At(1).At(0).Get("text").StringOr(""), "✅ a");
    EXPECT_EQ(rows.At(1).At(0).Get("callback_data").StringOr(""), "m:" + id);
    EXPECT_THAT(ModelKeyboard(choices, ""), HasSubstr("✅ 🎯"));
}

}  // namespace
}  // namespace aim::telegram_bot
