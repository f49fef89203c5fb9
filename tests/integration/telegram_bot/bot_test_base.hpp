#pragma once

#include <memory>
#include <string>

#include "tests/integration/gateway/gateway_test_base.hpp"
#include "tests/support/fake_telegram/fake_telegram.hpp"

namespace aim::gateway {

using aim::testing::ChatMessage;
using aim::testing::FakeTelegram;
using aim::testing::TelegramFault;

// May be seen by Telegram and by nobody else.
inline constexpr const char* kBotToken = "700100:canary-token-8f31b2aa90cd47e6";
// May be seen by the business API and by nobody else.
inline constexpr const char* kBotKey = "canary-bot-key-77aa01";
inline constexpr std::int64_t kAnna = 4242;
inline constexpr std::int64_t kBoris = 4343;
inline constexpr std::int64_t kAdmin = 9001;

// The bot's process with everything it needs: the gateway's stack, its business API started again
// with a key for the bot and a rate limit that the bot would meet at once without it.
class BotTest : public GatewayTest {
  protected:
    static void SetUpTestSuite();
    static void TearDownTestSuite();
    void SetUp() override;
    void TearDown() override;

    static std::uint16_t RestartBusinessApi(std::uint16_t port);
    // Ends it and looks at what it said.
    static void StopBusinessApi();

    // Starts the bot on `state_`; waits until it asks for updates.
    void StartBot(const Environment& more = {});
    // SIGTERM; expects 0 and that no secret was said.
    void StopBot();
    void ExpectNoSecrets(const std::string& output) const;

    // A model of the mock plugin.
    void AddMock(const std::string& name, const std::string& settings);
    // The bot's answer to a prompt, when it is whole.
    std::string Ask(std::int64_t user, const std::string& text);
    bool WaitForAnswer(std::int64_t user, std::string_view end = "Рейтинг модели");

    std::unique_ptr<FakeTelegram> telegram_;
    TemporaryFolder state_;
    Service bot_;
};

}  // namespace aim::gateway
