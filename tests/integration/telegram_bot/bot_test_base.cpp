#include "tests/integration/telegram_bot/bot_test_base.hpp"

#include <signal.h>

namespace aim::gateway {

using std::chrono::seconds;

std::uint16_t BotTest::RestartBusinessApi(std::uint16_t port) {
    StopBusinessApi();
    stack().business_api = StartBusinessApi(stack().state.path(), stack().data_api.port,
                                            {{"BUSINESS_API_PORT", std::to_string(port)},
                                             {"BOT_API_KEY", kBotKey},
                                             {"AUTO_INCLUDES_MOCK", "always"},
                                             {"RATE_LIMIT_PER_MINUTE", "1"}});
    return stack().business_api.port;
}

void BotTest::StopBusinessApi() {
    if (!stack().business_api.process) return;
    EXPECT_EQ(stack().business_api.process->Terminate(), 0);
    const std::string output = stack().business_api.process->output();
    for (const std::string_view secret :
         {std::string_view(kBotToken), std::string_view(kBotKey), kCanary, kCallerKey})
        EXPECT_EQ(output.find(secret), std::string::npos);
    stack().business_api.process.reset();
}

void BotTest::SetUpTestSuite() { RestartBusinessApi(0); }

void BotTest::TearDownTestSuite() {
    EXPECT_EQ(stack().data_api.process->output().find("canary-"), std::string::npos);
}

void BotTest::SetUp() {
    GatewayTest::SetUp();
    telegram_ = std::make_unique<FakeTelegram>(kBotToken);
}

void BotTest::TearDown() {
    if (HasFailure() && bot_.process) {
        const std::string output = bot_.process->output();
        std::fprintf(stderr, "--- bot ---\n%s\n",
                     output.substr(output.size() > 6000 ? output.size() - 6000 : 0).c_str());
        for (const std::int64_t chat : {kAnna, kBoris, kAdmin})
            std::fprintf(stderr, "--- chat ---\n%s\n", telegram_->Transcript(chat).c_str());
    }
    if (bot_.process) StopBot();
    GatewayTest::TearDown();
}

void BotTest::StartBot(const Environment& more) {
    Environment environment = {
        {"TELEGRAM_BOT_TOKEN", kBotToken},
        {"TELEGRAM_API_URL", telegram_->url()},
        {"TELEGRAM_BOT_PORT", "0"},
        {"BUSINESS_API_URL", "http://127.0.0.1:" + std::to_string(stack().business_api.port)},
        {"BOT_API_KEY", kBotKey},
        {"BOT_ADMIN_IDS", std::to_string(kAdmin)},
        {"BOT_EDIT_INTERVAL_MS", "100"},
        {"BOT_CONFLICT_WAIT_MS", "50"},
        {"BOT_RATE_LIMIT_PER_MINUTE", "100"},
        {"AIM_STATE_DIR", state_.path().string()},
        {"LOG_LEVEL", "DEBUG"}};
    for (const auto& [name, value] : more) environment[name] = value;
    bot_.process = std::make_unique<ProcessFixture>(ProcessFixture::Spec{
        std::string(AIM_BINARY_DIR) + "/bin/aimanager-telegram-bot", {}, environment});
    const auto port = bot_.process->WaitForPort("\"event\":\"started\"", seconds(60));
    ASSERT_TRUE(port) << bot_.process->output();
    bot_.port = *port;
    ASSERT_TRUE(bot_.process->WaitForOutput("\"event\":\"polling\"", seconds(30)));
}

void BotTest::ExpectNoSecrets(const std::string& output) const {
    for (const std::string_view secret :
         {std::string_view(kBotToken), std::string_view(kBotToken).substr(7),
          std::string_view(kBotKey), kCanary, kCallerKey})
        EXPECT_EQ(output.find(secret), std::string::npos);
}

void BotTest::StopBot() {
    HttpTestClient pages = bot_.Client();
    ExpectNoSecrets(pages.Get("/metrics").body + pages.Get("/ready").body);
    pages.Close();
    EXPECT_EQ(bot_.process->Terminate(seconds(60)), 0) << bot_.process->output();
    ExpectNoSecrets(bot_.process->output());
    bot_.process.reset();
}

void BotTest::AddMock(const std::string& name, const std::string& settings) {
    const HttpAnswer answer =
        data().Post("/api/v1/models",
                    "{\"name\":" + Quote(name) +
                        R"(,"provider":"mock","endpoint":"mock://x","settings":)" + settings + "}");
    ASSERT_EQ(answer.status, 201) << answer.body;
    ASSERT_TRUE(Eventually([&] { return StateOf(name) == "available"; })) << name;
}

bool BotTest::WaitForAnswer(std::int64_t user, std::string_view end) {
    return telegram_->WaitForText(user, end);
}

std::string BotTest::Ask(std::int64_t user, const std::string& text) {
    const std::int64_t question = telegram_->Say(user, text);
    EXPECT_TRUE(telegram_->WaitUntil([&] {
        const ChatMessage last = telegram_->LastFromBot(user);
        return last.id > question && last.visible.find("Рейтинг модели") != std::string::npos;
    })) << telegram_->Transcript(user);
    return telegram_->LastFromBot(user).visible;
}

}  // namespace aim::gateway
