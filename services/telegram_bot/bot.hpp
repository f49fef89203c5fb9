#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>

#include "core/base/clock.hpp"
#include "core/resilience/rate_limiter.hpp"
#include "services/telegram_bot/command.hpp"
#include "services/telegram_bot/pages.hpp"
#include "services/telegram_bot/prompt_runner.hpp"
#include "services/telegram_bot/state_file.hpp"
#include "services/telegram_bot/update.hpp"

namespace aim::telegram_bot {

// What the bot does about each update: decides at once, and leaves what takes time to a coroutine.
// How many of those there are is bounded, and so is what waits. One loop's thread.
class Bot {
  public:
    struct Settings {
        std::set<std::int64_t> admins;
        std::uint32_t prompts_per_minute = 10;   // of a user; 0: no limit
        std::uint32_t updates_per_minute = 120;  // of a user, everything together; more is dropped
        std::size_t most_replies = 256;          // commands that are being answered
        PromptQueue::Limits queue;
        PromptRunner::Settings runner;
        MessageSender::Limits sender;
        std::filesystem::path choices_file;
    };

    Bot(TelegramClient& telegram, BusinessClient& business, TaskGroup& tasks, Executor executor,
        telemetry::Logger& logger, BotMetrics& metrics, const Clock& clock, Settings settings);

    // Who the bot is, from getMe; before the first update.
    void SetIdentity(std::int64_t id, std::string username);
    std::int64_t id() const { return id_; }

    void OnUpdate(Update update);

    // The orderly end came too late: what runs is cut with a note, what waits is told to come
    // again. No update may follow.
    void CutShort();
    // And now without a word.
    void GiveUp() { last_words_.Cancel(Cancellation::Reason::kShutdown); }

    std::size_t prompts_running() const { return queue_.running(); }
    std::size_t prompts_waiting() const { return queue_.waiting(); }
    std::size_t replies() const { return replies_; }
    std::size_t users() const { return updates_limit_.size(); }
    std::size_t choices() const { return choices_.size(); }
    const Settings& settings() const { return settings_; }

  private:
    struct Running {
        Cancellation stop;
        std::string stop_code;
    };

    void OnText(Update update);
    void OnCommand(const Command& command, const Update& update);
    void OnPrompt(const Update& update, std::string text);
    void OnButton(Update update);
    void ForgetChat(std::int64_t chat_id);
    void NoteError(std::string text);
    void Note(const Result<void>& saved);

    bool IsAdmin(const Update& update) const { return settings_.admins.contains(update.user_id); }
    Destination DestinationOf(const Update& update) const;

    // Runs `reply` beside everything else, unless too many run already.
    template <typename MakeReply>
    void Reply(MakeReply&& make_reply);
    void Say(const Update& update, std::string text);

    Task<> Counted(Task<> reply);
    Task<> SendText(Destination destination, std::string text, std::string markup);
    Task<> SendStats(Destination destination);
    Task<> SendAdmin(Destination destination);
    Task<> SendModels(Destination destination);
    Task<> ChooseByName(Destination destination, std::string name);
    Task<> ChooseByButton(Update update);
    Task<> WorkOff(Prompt prompt);

    BusinessClient& business_;
    TaskGroup& tasks_;
    telemetry::Logger& logger_;
    BotMetrics& metrics_;
    const Clock& clock_;
    const Settings settings_;
    Cancellation last_words_;
    MessageSender sender_;
    PromptRunner runner_;
    PromptQueue queue_;
    ModelChoices choices_;
    resilience::RateLimiter prompts_limit_;
    resilience::RateLimiter updates_limit_;
    std::map<std::int64_t, Running> running_;
    std::deque<RecentError> errors_;
    std::size_t replies_ = 0;
    std::int64_t id_ = 0;
    std::string username_;
};

}  // namespace aim::telegram_bot
