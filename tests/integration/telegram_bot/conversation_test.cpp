#include <algorithm>
#include <fstream>
#include <iterator>
#include <regex>

#include <gmock/gmock.h>

#include "tests/integration/telegram_bot/bot_test_base.hpp"
#include "tests/support/fake_telegram/entity_parser.hpp"

namespace aim::gateway {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// What differs from run to run: times, ratings, ids.
std::string Masked(std::string text) {
    const std::pair<const char*, const char*> masks[] = {
        {"m:[0-9a-f]{8}-[0-9a-f-]{27}", "m:<id>"},
        {"Время обработки: [0-9.]+ сек", "Время обработки: N сек"},
        {"Рейтинг( модели)?: [0-9.]+", "Рейтинг$1: N"},
        {"Ср. время: [0-9]+ мс", "Ср. время: N мс"},
        {"Обновлено: [0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2} UTC", "Обновлено: <time>"}};
    for (const auto& [pattern, mask] : masks)
        text = std::regex_replace(text, std::regex(pattern), mask);
    return text;
}

std::string ReadExpected(const char* name) {
    std::ifstream file(std::string(AIM_SOURCE_DIR "/tests/integration/telegram_bot/") + name);
    return {std::istreambuf_iterator<char>(file), {}};
}

TEST_F(BotTest, AConversationReadsAsExpected) {
    AddMock(
        "mock-teacher",
        R"({"latency_ms":20,"answer_text":"**Кубит** хранит и 0, и 1 сразу.\n\n```python\nq = H(0)\n```"})");
    StartBot();
    const auto say = [&](const char* text, const char* until) {
        const std::int64_t said = telegram_->Say(kAnna, text);
        EXPECT_TRUE(telegram_->WaitUntil([&] {
            const ChatMessage last = telegram_->LastFromBot(kAnna);
            return last.id > said && last.visible.find(until) != std::string::npos;
        })) << text;
    };
    say("/start", "Добро пожаловать");
    say("Объясни квантовые компьютеры простыми словами", "Рейтинг модели");
    say("/stats", "Обновлено");
    say("/model", "Какая модель");
    const ChatMessage menu = telegram_->LastFromBot(kAnna);
    const std::size_t at = menu.markup.find("m:0");
    ASSERT_NE(at, std::string::npos) << menu.markup;
    telegram_->Press(kAnna, kAnna, menu.id, menu.markup.substr(at, 38));
    EXPECT_TRUE(telegram_->WaitForText(kAnna, "Выбрана модель"));
    say("/model auto", "автоматически");
    say("/help", "Справка");
    say("/nonsense", "Такой команды нет");
    say("/admin", "Такой команды нет");
    say("/ask", "после команды");
    say("/stop", "ничего не обрабатывается");
    telegram_->SendPhoto(kAnna);
    EXPECT_TRUE(telegram_->WaitForText(kAnna, "понимаю только текст"));
    telegram_->EditLast(kAnna, "другое");
    EXPECT_TRUE(telegram_->WaitForText(kAnna, "исправленные"));
    EXPECT_EQ(Masked(telegram_->Transcript(kAnna)), ReadExpected("transcript.txt"));

    EXPECT_FALSE(telegram_->Calls("sendChatAction").empty());
    EXPECT_EQ(telegram_->Calls("answerCallbackQuery").size(), 1U);
    EXPECT_EQ(telegram_->Calls("setMyCommands").size(), 1U);
    for (const auto& call : telegram_->Calls())
        EXPECT_LT(call.status, 400) << call.method << call.body;
    // The history knows who asked.
    ASSERT_TRUE(Eventually([&] {
        return data().Get("/api/v1/prompts/history?user_id=telegram_4242").body.find("квантовые") !=
               std::string::npos;
    }));
    const json::Document page =
        Json(data().Get("/api/v1/prompts/history?user_id=telegram_4242").body);
    const json::Value row = page.root().Get("items").At(0);
    EXPECT_EQ(row.Get("username").StringOr(""), "user_4242");
    EXPECT_EQ(row.Get("user_telegram_id").Int64Or(0), kAnna);
    EXPECT_EQ(row.Get("status").StringOr(""), "success");
}

TEST_F(BotTest, AnAnswerGrowsByEditsAndIsFormattedAtTheEnd) {
    AddMock("mock-slow", R"({"latency_ms":10,"answer_tokens":40,"tokens_per_second":50})");
    telegram_->SetEditInterval(std::chrono::milliseconds(100));
    StartBot();
    const std::string answer = Ask(kAnna, "Расскажи");
    EXPECT_THAT(answer, StartsWith("🤖 Обрабатываю через модель \"mock-slow\"...\n\n"));
    EXPECT_THAT(answer, HasSubstr("✅ Модель: mock-slow\n⏱ Время обработки: "));
    const ChatMessage message = telegram_->LastFromBot(kAnna);
    EXPECT_GE(message.edits, 2) << telegram_->Transcript(kAnna);
    EXPECT_EQ(message.parse_mode, "HTML");
    // The interval was kept: nothing came too fast.
    for (const auto& call : telegram_->Calls("editMessageText")) EXPECT_EQ(call.status, 200);
    EXPECT_EQ(telegram_->Calls("sendMessage").size(), 1U);
}

TEST_F(BotTest, ALongAnswerIsSplitAndItsCodeStaysCode) {
    std::string code = "Вот 😀:\\n```cpp\\n";
    for (int i = 0; i < 300; ++i) code += "int value_" + std::to_string(i) + " = 1; // 😀 &amp;\\n";
    AddMock("mock-long", R"({"latency_ms":5,"answer_text":")" + code + "```\\nКонец.\"}");
    StartBot();
    Ask(kAnna, "Код");
    std::string all;
    int parts = 0;
    for (const ChatMessage& message : telegram_->Messages(kAnna)) {
        if (!message.from_bot) continue;
        ++parts;
        all += message.visible + "\n";
        EXPECT_THAT(message.source, HasSubstr("<pre><code class=\"language-cpp\">"));
        EXPECT_THAT(message.visible, Not(HasSubstr("```")));
    }
    EXPECT_GE(parts, 3);
    for (int i = 0; i < 300; ++i)
        EXPECT_THAT(all, HasSubstr("int value_" + std::to_string(i) + " = 1; // 😀 &amp;\n"));
    EXPECT_THAT(all, HasSubstr("Конец."));
    for (const auto& call : telegram_->Calls("sendMessage")) EXPECT_EQ(call.status, 200);
}

TEST_F(BotTest, GroupsAreAnsweredWhenTheyAsk) {
    AddMock("mock-group", R"({"latency_ms":5,"answer_text":"Да."})");
    StartBot();
    const std::int64_t group = -100500;
    telegram_->SayInGroup(group, kAnna, "Всем привет");
    telegram_->SayInGroup(group, kAnna, "/start@SomeOtherBot");
    telegram_->SayInGroup(group, kAnna, "/nonsense");
    telegram_->SayInGroup(group, kAnna, "/ask@AiManagerTestBot Можно?");
    ASSERT_TRUE(WaitForAnswer(group));
    // Only what is meant for the bot was answered.
    const auto calls = telegram_->Calls("sendMessage");
    ASSERT_EQ(calls.size(), 1U);
    EXPECT_THAT(calls[0].body, HasSubstr("\"reply_parameters\":{\"message_id\":4"));
    telegram_->SayInGroup(group, kBoris, "@aimanagertestbot А теперь?");
    ASSERT_TRUE(telegram_->WaitUntil([&] {
        const auto messages = telegram_->Messages(group);
        return std::count_if(messages.begin(), messages.end(), [](const ChatMessage& m) {
                   return m.from_bot && m.visible.find("Рейтинг") != std::string::npos;
               }) == 2;
    })) << telegram_->Transcript(group);
}

TEST_F(BotTest, AdminsSeeStatesAndErrors) {
    AddMock("mock-fine", R"({"latency_ms":5})");
    AddModel("strange", "http://127.0.0.1:9", "nobody", "no_plugin");
    StartBot();
    telegram_->Say(kAdmin, "/help");
    ASSERT_TRUE(telegram_->WaitForText(kAdmin, "/admin"));
    telegram_->Say(kAdmin, "/admin");
    ASSERT_TRUE(telegram_->WaitForText(kAdmin, "Последние ошибки"));
    const std::string page = telegram_->LastFromBot(kAdmin).visible;
    EXPECT_THAT(page, HasSubstr("mock-fine (mock): 🟢 доступна"));
    EXPECT_THAT(page, HasSubstr("strange (nobody): ⚪ нет плагина"));
    EXPECT_THAT(page, HasSubstr("🟢 data_api"));
}

}  // namespace
}  // namespace aim::gateway
