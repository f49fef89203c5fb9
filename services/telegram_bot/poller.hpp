#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/base/cancellation.hpp"
#include "core/base/random.hpp"
#include "services/telegram_bot/bot.hpp"
#include "services/telegram_bot/state_file.hpp"
#include "services/telegram_bot/status_board.hpp"
#include "services/telegram_bot/telegram_client.hpp"

namespace aim::telegram_bot {

// Asks Telegram for updates and hands them to the bot, in order and each once: a file says that
// they are taken before the bot gets them, the next question confirms them. So a crash may lose
// what the bot was about to answer, but never answers (and pays for) it twice. One loop's thread.
class Poller {
  public:
    struct Settings {
        std::chrono::seconds poll_time{50};  // the most that Telegram takes
        std::chrono::milliseconds conflict_wait{5000};
        std::chrono::milliseconds first_backoff{500};
        std::filesystem::path offset_file;
    };

    // `on_token_refused` is called when Telegram does not know the token: nothing more will come.
    Poller(TelegramClient& telegram, Bot& bot, Executor executor, telemetry::Logger& logger,
           BotMetrics& metrics, StatusBoard& status, const Clock& clock, Settings settings,
           std::function<void()> on_token_refused);

    // Until Stop() or a refused token.
    Task<> Run();
    void Stop() { stop_.Cancel(Cancellation::Reason::kShutdown); }

  private:
    Task<bool> Introduce();
    Task<> SetCommands();
    Task<bool> Handle(ApiFailure failure);
    Task<bool> LeaveWebhook();
    void Take(json::Value updates);
    std::optional<Update> TakeOne(json::Value value);
    void SaveOffset();
    std::string Question() const;
    void SkipUnreadable();

    TelegramClient& telegram_;
    Bot& bot_;
    const Executor executor_;
    telemetry::Logger& logger_;
    BotMetrics& metrics_;
    StatusBoard& status_;
    const Clock& clock_;
    const Settings settings_;
    const std::function<void()> on_token_refused_;
    const OffsetFile file_;
    const std::unique_ptr<Random> random_;
    Cancellation stop_;
    std::int64_t offset_ = 0;
    int failures_ = 0;   // in a row
    int conflicts_ = 0;  // in a row
    int webhook_tries_ = 0;
    int unreadable_ = 0;  // in a row
};

}  // namespace aim::telegram_bot
