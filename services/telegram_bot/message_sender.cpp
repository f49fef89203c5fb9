#include "services/telegram_bot/message_sender.hpp"

#include <algorithm>
#include <utility>

#include "core/base/clock.hpp"
#include "core/json/writer.hpp"
#include "core/resilience/backoff.hpp"
#include "services/telegram_bot/html_format.hpp"
#include "services/telegram_bot/wake_up.hpp"

namespace aim::telegram_bot {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTypingTime{5000};

std::string Arguments(const Outgoing& message, bool formatted) {
    std::string body;
    json::Writer writer(body);
    writer.BeginObject().Field("chat_id", message.destination.chat_id);
    if (message.message_id != 0) {
        writer.Field("message_id", message.message_id);
    } else {
        if (message.destination.thread_id != 0)
            writer.Field("message_thread_id", message.destination.thread_id);
        if (message.destination.reply_to != 0) {
            writer.Key("reply_parameters")
                .BeginObject()
                .Field("message_id", message.destination.reply_to)
                .Field("allow_sending_without_reply", true)
                .EndObject();
        }
    }
    if (formatted) {
        writer.Field("text", MarkdownToHtml(message.text)).Field("parse_mode", "HTML");
    } else {
        writer.Field("text", message.text);
    }
    writer.Key("link_preview_options").BeginObject().Field("is_disabled", true).EndObject();
    if (!message.markup.empty()) writer.Key("reply_markup").Raw(message.markup);
    writer.EndObject();
    return body;
}

bool NotModified(const ApiFailure& failure) {
    return failure.code == 400 && failure.Says("message is not modified");
}

bool CannotEdit(const ApiFailure& failure) {
    return failure.code == 400 &&
           (failure.Says("message to edit not found") || failure.Says("message can't be edited"));
}

bool MayPass(const ApiFailure& failure) {
    return failure.code == 0 || failure.code == 429 || failure.code >= 500;
}

}  // namespace

milliseconds MessageSender::PausedFor() const {
    return std::max(milliseconds(0),
                    std::chrono::duration_cast<milliseconds>(paused_until_ - SystemClock().Now()));
}

Task<bool> MessageSender::WaitUntil(MonotonicTime time, Cancellation& cancellation) {
    if (time <= SystemClock().Now()) co_return !cancellation.IsCancelled();
    const milliseconds wait = std::chrono::ceil<milliseconds>(time - SystemClock().Now());
    const bool waited = co_await Pause(executor_, wait, cancellation);
    co_return waited;
}

void MessageSender::NotePause(const ApiFailure& failure) {
    if (failure.code != 429) return;
    const milliseconds wait = failure.retry_after.value_or(milliseconds(1000));
    paused_until_ =
        std::max(paused_until_, SystemClock().Now() + std::min(wait, limits_.longest_wait));
    logger_.Warning("telegram_flood_limit", "Telegram asks for a pause",
                    {{"retry_after_ms", wait.count()}});
}

Task<ApiResult<std::int64_t>> MessageSender::Once(const Outgoing& message, bool formatted,
                                                  Cancellation& cancellation) {
    std::string method = message.message_id == 0 ? "sendMessage" : "editMessageText";
    std::string arguments = Arguments(message, formatted);
    auto answer = co_await telegram_.Call(std::move(method), std::move(arguments), limits_.call,
                                          cancellation);
    if (answer) {
        co_return answer->root().Get("result").Get("message_id").Int64Or(message.message_id);
    }
    NotePause(answer.error());
    if (message.message_id != 0 && NotModified(answer.error())) co_return message.message_id;
    co_return tl::unexpected(std::move(answer.error()));
}

Task<bool> MessageSender::WaitOut(const ApiFailure& failure, int attempt,
                                  Cancellation& cancellation) {
    if (failure.code == 429) {
        if (failure.retry_after.value_or(milliseconds(0)) > limits_.longest_wait) co_return false;
        // The pause is waited for before the next attempt.
        co_return !cancellation.IsCancelled();
    }
    resilience::BackoffOptions backoff;
    backoff.initial = limits_.first_backoff;
    backoff.cap = milliseconds(8000);
    const milliseconds delay = resilience::BackoffDelay(backoff, attempt, *random_);
    const bool waited = co_await Pause(executor_, delay, cancellation);
    co_return waited;
}

Task<ApiResult<std::int64_t>> MessageSender::Deliver(Outgoing message, Cancellation& cancellation) {
    bool formatted = message.format == Format::kMarkdown;
    ApiResult<std::int64_t> result;
    for (int attempt = 1; attempt <= limits_.attempts; ++attempt) {
        while (PausedFor() > milliseconds(0)) {
            // Not all at the same moment when it is over.
            const milliseconds time = PausedFor() + milliseconds(random_->Next() % 100);
            const bool waited = co_await Pause(executor_, time, cancellation);
            if (!waited) break;
        }
        result = co_await Once(message, formatted, cancellation);
        if (result || result.error().cancelled) co_return result;
        const ApiFailure failure = result.error();
        if (formatted && failure.FormatRefused()) {
            formatted = false;
            metrics_.format_refused.Increment();
            logger_.Warning(
                "telegram_format_refused", "A message goes out as plain text",
                {{"chat_id", message.destination.chat_id}, {"description", failure.description}});
            continue;
        }
        if (failure.migrate_to_chat_id != 0) {
            on_migrated_(message.destination.chat_id, failure.migrate_to_chat_id);
            message.destination.chat_id = failure.migrate_to_chat_id;
            message.destination.reply_to = 0;
            message.message_id = 0;
            continue;
        }
        if (message.message_id != 0 && CannotEdit(failure)) {
            message.message_id = 0;
            continue;
        }
        if (!MayPass(failure)) break;
        const bool again = co_await WaitOut(failure, attempt, cancellation);
        if (!again) break;
    }
    logger_.Warning("telegram_message_lost", "A message could not be delivered",
                    {{"chat_id", message.destination.chat_id},
                     {"code", result.error().code},
                     {"description", result.error().description}});
    co_return result;
}

Task<ApiResult<std::int64_t>> MessageSender::Show(Outgoing message, Cancellation& cancellation) {
    if (const milliseconds wait = PausedFor(); wait > milliseconds(0)) {
        ApiFailure failure;
        failure.code = 429;
        failure.retry_after = wait;
        co_return tl::unexpected(std::move(failure));
    }
    auto result = co_await Once(message, false, cancellation);
    co_return result;
}

Task<ApiResult<json::Document>> MessageSender::Typing(Destination destination,
                                                      Cancellation& cancellation) {
    std::string arguments;
    json::Writer writer(arguments);
    writer.BeginObject().Field("chat_id", destination.chat_id).Field("action", "typing");
    if (destination.thread_id != 0) writer.Field("message_thread_id", destination.thread_id);
    writer.EndObject();
    std::string method = "sendChatAction";
    auto answer =
        co_await telegram_.Call(std::move(method), std::move(arguments), kTypingTime, cancellation);
    if (!answer) NotePause(answer.error());
    co_return answer;
}

Task<ApiResult<json::Document>> MessageSender::AnswerButton(std::string callback_id,
                                                            std::string text,
                                                            Cancellation& cancellation) {
    std::string arguments;
    json::Writer writer(arguments);
    writer.BeginObject().Field("callback_query_id", callback_id);
    if (!text.empty()) writer.Field("text", text);
    writer.EndObject();
    std::string method = "answerCallbackQuery";
    auto answer = co_await telegram_.Call(std::move(method), std::move(arguments), limits_.call,
                                          cancellation);
    co_return answer;
}

}  // namespace aim::telegram_bot
