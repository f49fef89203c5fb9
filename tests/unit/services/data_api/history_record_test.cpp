#include "services/data_api/records/history_record.hpp"

#include <gtest/gtest.h>

#include "core/json/json.hpp"

namespace aim::data_api {
namespace {

Result<HistoryRow> ReadHistory(const std::string& more, HistoryRules rules = {}) {
    const auto document = json::Parse(R"({"prompt_text":"p","status":"success")" +
                                      (more.empty() ? "" : "," + more) + "}");
    EXPECT_TRUE(document) << more;
    return ReadHistory(document->root(), rules);
}

TEST(ReadHistory, FindsTheTelegramUser) {
    EXPECT_EQ(ReadHistory(R"("user_id":"telegram_123")")->user_telegram_id, 123);
    EXPECT_EQ(ReadHistory(R"("user_id":"telegram_-100123")")->user_telegram_id, -100123);
    EXPECT_EQ(ReadHistory(R"("user_id":"telegram_123","user_telegram_id":5)")->user_telegram_id, 5);
    for (const char* id :
         {"telegram_", "telegram_12x", "telegram_99999999999999999999", "xtelegram_1", "api"}) {
        EXPECT_FALSE(ReadHistory(std::string(R"("user_id":")") + id + "\"")->user_telegram_id)
            << id;
    }
}

TEST(ReadHistory, KeepsAttemptsAsTheyCame) {
    EXPECT_EQ(ReadHistory(R"("attempts":3)")->attempts, "3");
    EXPECT_EQ(ReadHistory(R"("attempts":[{"model":"m","outcome":"success"}])")->attempts,
              R"([{"model":"m","outcome":"success"}])");
    EXPECT_FALSE(ReadHistory(R"("attempts":null)")->attempts);
    EXPECT_FALSE(ReadHistory(R"("attempts":-1)"));
    EXPECT_FALSE(ReadHistory(R"("attempts":{})"));
}

TEST(ReadHistory, UnknownFieldsAreErrorsForPeopleOnly) {
    EXPECT_EQ(ReadHistory(R"("extra":1)").error().field, "extra");
    EXPECT_TRUE(ReadHistory(R"("extra":1)", HistoryRules{.refuse_unknown_fields = false}));
    EXPECT_EQ(ReadHistory("", HistoryRules{.id_required = true}).error().field, "id");
}

TEST(HistoryCursor, SurvivesTheWayToTheClientAndBack) {
    const HistoryCursor cursor{WallTime(std::chrono::microseconds(1795225112123457)),
                               *Uuid::Parse("0199b1c2-0000-7000-8000-000000000001")};
    const auto read = HistoryCursor::Parse(cursor.ToString());
    ASSERT_TRUE(read);
    EXPECT_EQ(read->created_at, cursor.created_at);
    EXPECT_EQ(read->id, cursor.id);
    EXPECT_EQ(cursor.ToString().find_first_of("+/= &"), std::string::npos);
}

TEST(HistoryCursor, RefusesWhatItDidNotMake) {
    for (const char* text :
         {"", "x", "MTIz", "IGFiYw", "%%%",
          "OTk5OTk5OTk5OTk5OTk5OTk5OSAwMTk5YjFjMi0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDE"}) {
        EXPECT_FALSE(HistoryCursor::Parse(text)) << text;
    }
}

}  // namespace
}  // namespace aim::data_api
