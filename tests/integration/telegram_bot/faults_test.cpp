#include <algorithm>

#include <gmock/gmock.h>
#include <signal.h>

#include "tests/integration/telegram_bot/bot_test_base.hpp"

namespace aim::gateway {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

std::size_t CountFromBot(const FakeTelegram& telegram, std::int64_t chat, std::string_view text) {
    std::size_t count = 0;
    for (const ChatMessage& message : telegram.Messages(chat))
        count += message.from_bot && message.visible.find(text) != std::string::npos ? 1 : 0;
    return count;
}

TEST_F(BotTest, WithoutATokenItSaysSoAndEnds) {
    ProcessFixture bot({std::string(AIM_BINARY_DIR) + "/bin/aimanager-telegram-bot",
                        {},
                        {{"BOT_ADMIN_IDS", "x"}, {"API_KEY", "k"}}});
    EXPECT_EQ(bot.WaitForExit(seconds(60)), 2);
    EXPECT_THAT(bot.output(), HasSubstr("TELEGRAM_BOT_TOKEN: must be set"));
    EXPECT_THAT(bot.output(), HasSubstr("BOT_ADMIN_IDS"));
}

TEST_F(BotTest, ATokenThatTelegramDoesNotKnowEndsItToo) {
    const std::string other = "700100:canary-token-that-nobody-knows";
    ProcessFixture bot({std::string(AIM_BINARY_DIR) + "/bin/aimanager-telegram-bot",
                        {},
                        {{"TELEGRAM_BOT_TOKEN", other},
                         {"TELEGRAM_API_URL", telegram_->url()},
                         {"TELEGRAM_BOT_PORT", "0"},
                         {"AIM_STATE_DIR", state_.path().string()},
                         {"API_KEY", "k"}}});
    EXPECT_EQ(bot.WaitForExit(seconds(60)), 2);
    EXPECT_THAT(bot.output(), HasSubstr("token_refused"));
    EXPECT_THAT(bot.output(), Not(HasSubstr("canary-token")));
}

TEST_F(BotTest, ARestartAnswersEachMessageOnce) {
    StartBot();
    telegram_->Say(kAnna, "/help");
    ASSERT_TRUE(telegram_->WaitForText(kAnna, "Справка"));
    bot_.process->Kill();
    // Not confirmed by a further question yet, or it is: in both cases the file says it was taken.
    telegram_->Say(kAnna, "/ask");
    StartBot();
    ASSERT_TRUE(telegram_->WaitForText(kAnna, "после команды"));
    StopBot();
    StartBot();
    telegram_->Say(kAnna, "/nonsense");
    ASSERT_TRUE(telegram_->WaitForText(kAnna, "Такой команды нет"));
    EXPECT_EQ(CountFromBot(*telegram_, kAnna, "Справка"), 1U) << telegram_->Transcript(kAnna);
    EXPECT_EQ(CountFromBot(*telegram_, kAnna, "после команды"), 1U);
    ASSERT_TRUE(telegram_->WaitUntil([&] { return telegram_->Unconfirmed() == 0; }));
}

TEST_F(BotTest, AnotherPollerIsReportedAndOutwaited) {
    StartBot();
    HttpTestClient bot = bot_.Client();
    ASSERT_TRUE(telegram_->WaitUntil([&] { return telegram_->Polling(); }));
    HttpTestClient other(telegram_->port());
    const std::string target = std::string("/bot") + kBotToken + "/getUpdates";
    EXPECT_EQ(other.Post(target, R"({"timeout":0})").status, 200);
    ASSERT_TRUE(bot_.process->WaitForOutput("\"event\":\"another_poller\"", seconds(30)));
    telegram_->Say(kAnna, "/help");
    ASSERT_TRUE(telegram_->WaitForText(kAnna, "Справка"));
    // A webhook stands in the way as well, and is removed.
    telegram_->SetWebhook(true);
    ASSERT_TRUE(bot_.process->WaitForOutput("\"event\":\"webhook_removed\"", seconds(30)));
    telegram_->Say(kAnna, "/nonsense");
    ASSERT_TRUE(telegram_->WaitForText(kAnna, "Такой команды нет"));
    ASSERT_TRUE(Eventually([&] { return bot.Get("/ready").status == 200; }));
    EXPECT_THAT(
        bot.Get("/metrics").body,
        HasSubstr(R"(aimanager_telegram_api_calls_total{method="getUpdates",result="conflict"})"));
}

TEST_F(BotTest, ItWaitsWhenTelegramSaysSo) {
    AddMock("mock-short", R"({"latency_ms":5,"answer_text":"Готово."})");
    StartBot();
    TelegramFault flood;
    flood.method = "sendMessage";
    flood.code = 429;
    flood.description = "Too Many Requests: retry after 1";
    flood.retry_after = 1;
    telegram_->Inject(flood);
    EXPECT_THAT(Ask(kAnna, "Скажи"), HasSubstr("Готово."));
    const auto calls = telegram_->Calls("sendMessage");
    ASSERT_GE(calls.size(), 2U);
    EXPECT_EQ(calls[0].status, 429);
    EXPECT_GE(calls[1].at - calls[0].at, seconds(1));
    EXPECT_EQ(CountFromBot(*telegram_, kAnna, "Готово."), 1U);
}

TEST_F(BotTest, TroubleOnTelegramsSideIsOutlived) {
    StartBot();
    TelegramFault page;
    page.method = "sendMessage";
    page.code = 502;
    page.raw_body = "<html>Bad Gateway</html>";
    page.times = 2;
    telegram_->Inject(page);
    page.method = "getUpdates";
    telegram_->Inject(page);
    telegram_->Say(kAnna, "/help");
    ASSERT_TRUE(telegram_->WaitForText(kAnna, "Справка"));
    EXPECT_EQ(CountFromBot(*telegram_, kAnna, "Справка"), 1U);
}

TEST_F(BotTest, RefusedFormattingGoesOutAsPlainText) {
    AddMock("mock-marks", R"({"latency_ms":5,"answer_text":"**Жирно** и <тег> & всё."})");
    StartBot();
    TelegramFault refused;
    refused.code = 400;
    refused.description =
        "Bad Request: can't parse entities: Unsupported start tag \"b\" at byte offset 0";
    refused.parse_mode = "HTML";
    refused.method = "sendMessage";
    telegram_->Inject(refused);
    refused.method = "editMessageText";
    telegram_->Inject(refused);
    Ask(kAnna, "Скажи");
    const ChatMessage message = telegram_->LastFromBot(kAnna);
    EXPECT_EQ(message.parse_mode, "");
    EXPECT_THAT(message.visible, HasSubstr("**Жирно** и <тег> & всё."));
    EXPECT_THAT(message.visible, HasSubstr("✅ Модель: mock-marks"));
    EXPECT_THAT(bot_.Client().Get("/metrics").body,
                HasSubstr("aimanager_telegram_format_refused_total 1"));
}

TEST_F(BotTest, ABusinessApiThatIsAwayAndComesBack) {
    AddMock("mock-back", R"({"latency_ms":5,"answer_text":"Снова здесь."})");
    StartBot();
    const std::uint16_t port = stack().business_api.port;
    StopBusinessApi();
    HttpTestClient bot = bot_.Client();
    telegram_->Say(kAnna, "Есть кто?");
    ASSERT_TRUE(telegram_->WaitForText(kAnna, "AI Manager сейчас недоступен"));
    telegram_->Say(kBoris, "/stats");
    ASSERT_TRUE(telegram_->WaitForText(kBoris, "AI Manager сейчас недоступен"));
    ASSERT_TRUE(
        Eventually([&] { return bot.Get("/ready").body.find("\"degraded\"") != std::string::npos; },
                   seconds(30)));
    RestartBusinessApi(port);
    ASSERT_TRUE(Eventually([&] { return StateOf("mock-back") == "available"; }, seconds(30)));
    EXPECT_THAT(Ask(kAnna, "А теперь?"), HasSubstr("Снова здесь."));
    ASSERT_TRUE(
        Eventually([&] { return bot.Get("/ready").body.find("\"ready\"") != std::string::npos; },
                   seconds(30)));
}

TEST_F(BotTest, EveryRefusalIsPolite) {
    StartBot();
    telegram_->Say(kAnna, "Никого нет?");
    ASSERT_TRUE(telegram_->WaitForText(kAnna, "ни одна модель"));

    AddMock("mock-failing", R"({"latency_ms":5,"error_rate":1,"error_kind":"overloaded"})");
    telegram_->Say(kBoris, "Один сломан");
    ASSERT_TRUE(telegram_->WaitForText(kBoris, "ни одна модель"));
    // The failures are remembered for the administrators.
    telegram_->Say(kAdmin, "/admin");
    ASSERT_TRUE(telegram_->WaitForText(kAdmin, "бот: "));
}

TEST_F(BotTest, ACutAnswerStaysWithANote) {
    AddMock("mock-cut",
            R"({"latency_ms":5,"answer_tokens":20,"tokens_per_second":200,"cut_after_tokens":6})");
    StartBot();
    telegram_->Say(kAnna, "Начни");
    ASSERT_TRUE(WaitForAnswer(kAnna));
    const std::string answer = telegram_->LastFromBot(kAnna).visible;
    EXPECT_THAT(answer, HasSubstr("ответ неполный"));
    EXPECT_THAT(answer, HasSubstr("mock-cut"));
}

TEST_F(BotTest, AChatsPromptsWaitForOneAnotherAndAreBounded) {
    AddMock("mock-wait", R"({"latency_ms":5,"answer_tokens":4000,"tokens_per_second":20})");
    StartBot({{"BOT_QUEUE_PER_CHAT", "1"}});
    telegram_->Say(kAnna, "Первый");
    ASSERT_TRUE(telegram_->WaitForText(kAnna, "Обрабатываю"));
    telegram_->Say(kAnna, "Второй");
    ASSERT_TRUE(telegram_->WaitForText(kAnna, "место в очереди: 1"));
    telegram_->Say(kAnna, "Третий");
    ASSERT_TRUE(telegram_->WaitForText(kAnna, "Дождитесь"));
    telegram_->Say(kAnna, "/stop");
    ASSERT_TRUE(telegram_->WaitUntil([&] {
        return CountFromBot(*telegram_, kAnna, "🛑 Ответ остановлен.") == 1;
    })) << telegram_->Transcript(kAnna);
    EXPECT_EQ(CountFromBot(*telegram_, kAnna, "из очереди убрано: 1"), 1U);
    EXPECT_EQ(CountFromBot(*telegram_, kAnna, "Обрабатываю"), 1U);
    // Another chat does not wait for this one.
    telegram_->Say(kBoris, "Мой");
    ASSERT_TRUE(telegram_->WaitForText(kBoris, "Обрабатываю"));
    telegram_->Say(kBoris, "/stop");
    ASSERT_TRUE(telegram_->WaitUntil(
        [&] { return CountFromBot(*telegram_, kBoris, "🛑 Ответ остановлен.") == 1; }));
}

TEST_F(BotTest, AUserWhoAsksTooMuchIsToldToWait) {
    AddMock("mock-limit", R"({"latency_ms":5,"answer_text":"Да."})");
    StartBot({{"BOT_RATE_LIMIT_PER_MINUTE", "1"}});
    Ask(kAnna, "Раз");
    telegram_->Say(kAnna, "Два");
    ASSERT_TRUE(
        telegram_->WaitForText(kAnna, "Слишком много запросов. Попробуйте, пожалуйста, через"));
    EXPECT_THAT(Ask(kBoris, "Мой первый"), HasSubstr("Да."));
}

TEST_F(BotTest, AUserWhoBlocksTheBotIsLeftAlone) {
    AddMock("mock-blocked", R"({"latency_ms":5,"answer_tokens":4000,"tokens_per_second":50})");
    StartBot();
    telegram_->Say(kAnna, "Долго");
    ASSERT_TRUE(telegram_->WaitForText(kAnna, "Обрабатываю"));
    telegram_->Block(kAnna);
    ASSERT_TRUE(bot_.process->WaitForOutput("\"event\":\"chat_gone\"", seconds(30)));
    HttpTestClient bot = bot_.Client();
    ASSERT_TRUE(Eventually(
        [&] {
            return bot.Get("/metrics").body.find("aimanager_telegram_prompts_running 0\n") !=
                   std::string::npos;
        },
        seconds(30)));
    const std::size_t calls = telegram_->Calls("editMessageText").size();
    telegram_->Say(kBoris, "/help");
    ASSERT_TRUE(telegram_->WaitForText(kBoris, "Справка"));
    EXPECT_EQ(telegram_->Calls("editMessageText").size(), calls);
}

TEST_F(BotTest, ButtonsThatNobodyOfferedChangeNothing) {
    AddMock("mock-button", R"({"latency_ms":5})");
    StartBot();
    telegram_->Say(kAnna, "/model");
    ASSERT_TRUE(telegram_->WaitForText(kAnna, "Какая модель"));
    const std::int64_t menu = telegram_->LastFromBot(kAnna).id;
    for (const char* data :
         {"m:00000000-0000-7000-8000-000000000000", "m:", "x", "", "m:auto;drop"})
        telegram_->Press(kAnna, kAnna, menu, data);
    ASSERT_TRUE(telegram_->WaitUntil([&] {
        const auto calls = telegram_->Calls("answerCallbackQuery");
        return calls.size() == 5 && std::all_of(calls.begin(), calls.end(), [](const auto& call) {
                   return call.status == 200 && call.body.find("устарела") != std::string::npos;
               });
    }));
    EXPECT_THAT(telegram_->LastFromBot(kAnna).visible, HasSubstr("Какая модель"));
    telegram_->Say(kAnna, "/model no-such");
    ASSERT_TRUE(telegram_->WaitForText(kAnna, "нет среди доступных"));
}

TEST_F(BotTest, AChosenModelIsKeptAndGivenUpWhenItIsGone) {
    AddMock("mock-first", R"({"latency_ms":5,"answer_text":"Первая."})");
    AddMock("mock-second", R"({"latency_ms":5,"answer_text":"Вторая."})");
    StartBot();
    telegram_->Say(kAnna, "/model mock-second");
    ASSERT_TRUE(telegram_->WaitForText(kAnna, "Выбрана модель: mock-second"));
    EXPECT_THAT(Ask(kAnna, "Кто ты?"), HasSubstr("Вторая."));
    StopBot();
    StartBot();
    EXPECT_THAT(Ask(kAnna, "А теперь?"), HasSubstr("Вторая."));
    const json::Document models = Json(data().Get("/models").body);
    for (const auto& [key, model] : models.root()) {
        if (model.Get("name").StringOr("") == "mock-second")
            data().Request("DELETE", "/models/" + std::string(model.Get("id").StringOr("")));
    }
    ASSERT_TRUE(Eventually([&] { return StateOf("mock-second").empty(); }));
    telegram_->Say(kAnna, "Ещё здесь?");
    ASSERT_TRUE(telegram_->WaitForText(kAnna, "больше недоступна"));
    EXPECT_THAT(Ask(kAnna, "Кто тогда?"), HasSubstr("Первая."));
}

TEST_F(BotTest, TheOrderlyEndFinishesWhatRuns) {
    AddMock("mock-last", R"({"latency_ms":5,"answer_tokens":30,"tokens_per_second":40})");
    StartBot();
    telegram_->Say(kAnna, "Успеешь?");
    ASSERT_TRUE(telegram_->WaitForText(kAnna, "Обрабатываю"));
    StopBot();
    EXPECT_THAT(telegram_->LastFromBot(kAnna).visible, HasSubstr("Рейтинг модели"));
    EXPECT_THAT(telegram_->LastFromBot(kAnna).visible, Not(HasSubstr("прерван")));
}

TEST_F(BotTest, TheEndOfTheDrainTimeCutsWithANote) {
    AddMock("mock-endless", R"({"latency_ms":5,"answer_tokens":4000,"tokens_per_second":20})");
    StartBot({{"DRAIN_TIMEOUT_MS", "200"}});
    telegram_->Say(kAnna, "Бесконечно");
    ASSERT_TRUE(telegram_->WaitForText(kAnna, "Обрабатываю"));
    telegram_->Say(kAnna, "И ещё");
    ASSERT_TRUE(telegram_->WaitForText(kAnna, "место в очереди"));
    StopBot();
    EXPECT_EQ(CountFromBot(*telegram_, kAnna, "ответ прерван"), 1U) << telegram_->Transcript(kAnna);
    EXPECT_EQ(CountFromBot(*telegram_, kAnna, "ваш запрос не обработан"), 1U);
}

}  // namespace
}  // namespace aim::gateway
