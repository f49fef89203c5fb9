#include "services/telegram_bot/messages.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/telegram_bot/utf16.hpp"

namespace aim::telegram_bot {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

ChatEnd Refused(int status, std::string code) {
    ChatEnd end;
    end.kind = ChatEnd::Kind::kRefused;
    end.status = status;
    end.code = std::move(code);
    return end;
}

TEST(MessagesTest, EveryRefusalHasItsSentence) {
    struct Case {
        int status;
        const char* code;
        const char* says;
    };
    const Case cases[] = {
        {429, "rate_limited", "Слишком много запросов"},
        {400, "context_too_long", "слишком длинный"},
        {413, "body_too_large", "слишком длинный"},
        {503, "overloaded", "перегружен"},
        {503, "ledger_full", "перегружен"},
        {503, "draining", "перегружен"},
        {503, "cannot_verify_key", "перегружен"},
        {503, "no_model_available", "ни одна модель"},
        {502, "all_models_failed", "ни одна модель"},
        {404, "model_not_found", "больше недоступна"},
        {504, "deadline_exceeded", "не успели"},
        {401, "invalid_api_key", "настроен неверно"},
        {403, "forbidden", "настроен неверно"},
        {400, "invalid_request", "не приняла"},
        {400, "unsupported", "не приняла"},
        {400, "content_filtered", "фильтром"},
        {500, "internal", "перегружен"},
        {429, "", "Слишком много"},
        {404, "", "больше недоступна"},
        {418, "teapot", "не приняла"},
    };
    for (const Case& one : cases)
        EXPECT_THAT(messages::Failure(Refused(one.status, one.code)), HasSubstr(one.says))
            << one.code;
}

TEST(MessagesTest, TheWaitIsSaidWhereItIsKnown) {
    ChatEnd end = Refused(429, "rate_limited");
    EXPECT_THAT(messages::Failure(end), HasSubstr("немного позже"));
    end.retry_after = milliseconds(41'000);
    EXPECT_THAT(messages::Failure(end), HasSubstr("через 41 секунду"));
    EXPECT_THAT(messages::TooFast(milliseconds(5500)), HasSubstr("через 6 секунд."));
}

TEST(MessagesTest, DurationsAreInGoodRussian) {
    const std::pair<int, const char*> cases[] = {
        {0, "1 секунду"},    {1, "1 секунду"},   {2, "2 секунды"},   {5, "5 секунд"},
        {11, "11 секунд"},   {12, "12 секунд"},  {21, "21 секунду"}, {101, "101 секунду"},
        {111, "111 секунд"}, {120, "2 минуты"},  {301, "6 минут"},   {3600, "60 минут"},
        {7200, "2 часа"},    {86'400, "24 часа"}};
    for (const auto& [seconds, text] : cases)
        EXPECT_EQ(messages::Duration(std::chrono::seconds(seconds)), text);
    EXPECT_EQ(messages::Seconds(milliseconds(1234)), "1.2 сек");
}

TEST(MessagesTest, OtherEndsHaveTheirs) {
    ChatEnd end;
    EXPECT_THAT(messages::Failure(end), HasSubstr("недоступен"));
    end.kind = ChatEnd::Kind::kCut;
    EXPECT_THAT(messages::Failure(end), HasSubstr("не смогла"));
    EXPECT_THAT(messages::Remark(end), HasSubstr("неполный"));
    end.kind = ChatEnd::Kind::kCancelled;
    EXPECT_THAT(messages::Remark(end), HasSubstr("остановлен"));
    end.code = "draining";
    EXPECT_THAT(messages::Remark(end), HasSubstr("перезапускается"));
    EXPECT_THAT(messages::Failure(end), HasSubstr("перезапускается"));
    end.code = "too_long";
    EXPECT_THAT(messages::Remark(end), HasSubstr("слишком длинный"));
    end = ChatEnd();
    end.kind = ChatEnd::Kind::kCompleted;
    EXPECT_EQ(messages::Remark(end), "");
    EXPECT_THAT(messages::Failure(end), HasSubstr("пустой ответ"));
    end.finish_reason = "content_filter";
    EXPECT_THAT(messages::Failure(end), HasSubstr("фильтром"));
    EXPECT_THAT(messages::Remark(end), HasSubstr("фильтром"));
    end.finish_reason = "length";
    EXPECT_THAT(messages::Remark(end), HasSubstr("предела длины"));
}

TEST(MessagesTest, GreetingAndFootLookAsAskedFor) {
    EXPECT_THAT(messages::Start(false), HasSubstr("Добро пожаловать в AI Manager Platform! 🤖"));
    EXPECT_THAT(messages::Start(false), HasSubstr("/stats - статистика моделей"));
    EXPECT_THAT(messages::Help(false), HasSubstr("/help - справка"));
    EXPECT_THAT(messages::Help(false), Not(HasSubstr("/admin")));
    EXPECT_THAT(messages::Help(true), HasSubstr("/admin"));
    EXPECT_EQ(messages::Head("mistral-7b"), "🤖 Обрабатываю через модель \"mistral-7b\"...");
    EXPECT_EQ(messages::Foot("mistral-7b", milliseconds(1234), "95.5"),
              "✅ Модель: mistral-7b\n⏱ Время обработки: 1.2 сек\n⭐ Рейтинг модели: 95.5");
    EXPECT_EQ(messages::Foot("", milliseconds(50), ""), "⏱ Время обработки: 0.1 сек");
}

TEST(MessagesTest, ButtonsNoticesAreShortEnough) {
    const std::string longest(100, 'm');
    const std::string notice = messages::ModelChosen(longest);
    EXPECT_LE(Utf16Length(notice.substr(0, notice.find('\n'))), 200U);
    EXPECT_LE(Utf16Length(messages::ButtonTooOld()), 200U);
    EXPECT_LE(Utf16Length(messages::PageUnavailable()), 200U);
}

}  // namespace
}  // namespace aim::telegram_bot
