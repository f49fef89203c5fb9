#pragma once

#include <chrono>
#include <functional>

#include "core/base/clock.hpp"
#include "core/telemetry/log.hpp"
#include "services/telegram_bot/business_client.hpp"
#include "services/telegram_bot/message_sender.hpp"
#include "services/telegram_bot/task_group.hpp"

namespace aim::telegram_bot {

// From a prompt to the last edit of its answer. One loop's thread.
class PromptRunner {
  public:
    struct Settings {
        std::chrono::milliseconds edit_interval{1000};
        std::chrono::milliseconds group_edit_interval{3000};  // 20 messages a minute in a group
        std::chrono::milliseconds typing_interval{4500};      // what is sent holds for five seconds
    };

    PromptRunner(BusinessClient& business, MessageSender& sender, TaskGroup& tasks,
                 Executor executor, telemetry::Logger& logger, BotMetrics& metrics,
                 Settings settings)
        : business_(business),
          sender_(sender),
          tasks_(tasks),
          executor_(executor),
          logger_(logger),
          metrics_(metrics),
          settings_(settings) {}

    struct Outcome {
        ChatEnd end;
        bool chat_is_gone = false;
    };

    // `stop` ends the answer: what has come stays, with a note. `stop_code` is what the note is
    // about ("draining" or nothing). `last_words` ends the messages too.
    Task<Outcome> Run(Prompt prompt, std::string model, Cancellation& stop,
                      const std::string& stop_code, Cancellation& last_words);

  private:
    struct Progress;

    Task<> Fetch(Progress& progress);
    Task<bool> ShowWhileItComes(Progress& progress, Cancellation& last_words);
    Task<std::string> RatingNow(std::string model, std::string otherwise, Cancellation& last_words);
    void Report(const Progress& progress, std::chrono::milliseconds time);

    BusinessClient& business_;
    MessageSender& sender_;
    TaskGroup& tasks_;
    const Executor executor_;
    telemetry::Logger& logger_;
    BotMetrics& metrics_;
    const Settings settings_;
};

}  // namespace aim::telegram_bot
