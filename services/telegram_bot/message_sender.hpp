#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/base/random.hpp"
#include "core/telemetry/log.hpp"
#include "services/telegram_bot/prompt_queue.hpp"
#include "services/telegram_bot/telegram_client.hpp"

namespace aim::telegram_bot {

enum class Format {
    kPlain,
    kMarkdown,  // a model's words: shown formatted, or as they are when Telegram refuses that
};

// One message to be sent or to be shown in the place of an earlier one.
struct Outgoing {
    Destination destination;
    std::string text;  // at most kMessageUnits
    Format format = Format::kPlain;
    std::string markup;           // reply_markup as JSON; empty: none
    std::int64_t message_id = 0;  // 0: a new message
};

// Sends messages so that they arrive: waits where Telegram says so (for the whole bot, since a
// limit is the bot's), tries again after trouble on the way, drops the formatting when it is
// refused, follows a group that became a supergroup. One loop's thread.
class MessageSender {
  public:
    struct Limits {
        std::chrono::milliseconds call{20'000};
        std::chrono::milliseconds longest_wait{60'000};  // a longer retry_after is a failure
        int attempts = 6;
        std::chrono::milliseconds first_backoff{500};
    };

    // `on_migrated(from, to)` is told of groups that moved.
    MessageSender(TelegramClient& telegram, Executor executor, telemetry::Logger& logger,
                  BotMetrics& metrics, Limits limits,
                  std::function<void(std::int64_t, std::int64_t)> on_migrated)
        : telegram_(telegram),
          executor_(executor),
          logger_(logger),
          metrics_(metrics),
          limits_(limits),
          on_migrated_(std::move(on_migrated)),
          random_(MakeRandom()) {}

    // The message's id. A message that already looks like this is a success. One that cannot be
    // edited any more is sent as a new one.
    Task<ApiResult<std::int64_t>> Deliver(Outgoing message, Cancellation& cancellation);

    // One try without waiting and without formatting, for a text that will change again anyway.
    Task<ApiResult<std::int64_t>> Show(Outgoing message, Cancellation& cancellation);

    // "typing…", for five seconds. One try.
    Task<ApiResult<json::Document>> Typing(Destination destination, Cancellation& cancellation);

    Task<ApiResult<json::Document>> AnswerButton(std::string callback_id, std::string text,
                                                 Cancellation& cancellation);

    // False when the cancellation came first.
    Task<bool> WaitUntil(MonotonicTime time, Cancellation& cancellation);

    // How long nothing may be sent, after a 429.
    std::chrono::milliseconds PausedFor() const;

  private:
    Task<ApiResult<std::int64_t>> Once(const Outgoing& message, bool formatted,
                                       Cancellation& cancellation);
    void NotePause(const ApiFailure& failure);
    Task<bool> WaitOut(const ApiFailure& failure, int attempt, Cancellation& cancellation);

    TelegramClient& telegram_;
    const Executor executor_;
    telemetry::Logger& logger_;
    BotMetrics& metrics_;
    const Limits limits_;
    const std::function<void(std::int64_t, std::int64_t)> on_migrated_;
    const std::unique_ptr<Random> random_;
    MonotonicTime paused_until_{};
};

}  // namespace aim::telegram_bot
