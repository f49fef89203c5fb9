#include "services/telegram_bot/prompt_runner.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "core/base/clock.hpp"
#include "core/json/writer.hpp"
#include "services/telegram_bot/answer_view.hpp"
#include "services/telegram_bot/messages.hpp"
#include "services/telegram_bot/wake_up.hpp"

namespace aim::telegram_bot {
namespace {

std::string_view ResultLabel(ChatEnd::Kind kind) {
    switch (kind) {
        case ChatEnd::Kind::kCompleted:
            return "answered";
        case ChatEnd::Kind::kCut:
            return "cut";
        case ChatEnd::Kind::kRefused:
            return "refused";
        case ChatEnd::Kind::kUnreachable:
            return "unreachable";
        case ChatEnd::Kind::kCancelled:
            break;
    }
    return "cancelled";
}

}  // namespace

// What the coroutine that reads the answer and the one that shows it share.
struct PromptRunner::Progress final : ChatListener {
    Progress(const PromptRunner& runner, Prompt its_prompt, std::string its_model)
        : prompt(std::move(its_prompt)),
          view(runner.sender_, prompt.destination,
               EditThrottle(prompt.in_private ? runner.settings_.edit_interval
                                              : runner.settings_.group_edit_interval)),
          wake_up(runner.executor_) {
        query.text = prompt.text;
        query.model = std::move(its_model);
        query.user_id = prompt.user_id;
        query.username = prompt.username;
    }

    void OnHead(std::string_view its_model, std::string_view its_score) override {
        model = its_model;
        score = its_score;
        view.Append(messages::Head(model) + "\n\n");
        wake_up.Set();
    }
    void OnText(std::string_view text) override {
        has_text = true;
        if (!view.Append(text)) {
            too_long = true;
            fetch.Cancel(Cancellation::Reason::kAborted);
        }
        wake_up.Set();
    }

    const Prompt prompt;
    ChatQuery query;
    AnswerView view;
    WakeUp wake_up;
    Cancellation fetch;
    std::string model;
    std::string score;
    bool has_text = false;
    bool too_long = false;
    bool done = false;
    ChatEnd end;
};

Task<> PromptRunner::Fetch(Progress& progress) {
    progress.end = co_await business_.Chat(progress.query, progress, progress.fetch);
    if (progress.too_long) {
        progress.end.kind = ChatEnd::Kind::kCancelled;
        progress.end.code = "too_long";
    }
    progress.done = true;
    progress.wake_up.Set();
}

// False when the chat takes nothing any more.
Task<bool> PromptRunner::ShowWhileItComes(Progress& progress, Cancellation& last_words) {
    MonotonicTime next_typing = SystemClock().Now();
    bool chat_takes_it = true;
    while (!progress.done) {
        if (chat_takes_it && SystemClock().Now() >= next_typing) {
            auto typing = co_await sender_.Typing(progress.prompt.destination, last_words);
            if (!typing && typing.error().ChatIsGone()) chat_takes_it = false;
            next_typing = SystemClock().Now() + settings_.typing_interval;
        } else if (chat_takes_it && progress.view.dirty() &&
                   progress.view.MayShow(SystemClock().Now())) {
            auto shown = co_await progress.view.Show(last_words);
            if (!shown) chat_takes_it = false;
        } else {
            MonotonicTime until = chat_takes_it ? next_typing : MonotonicTime::max();
            if (chat_takes_it && progress.view.dirty())
                until = std::min(until, progress.view.next_show());
            co_await progress.wake_up.WaitUntil(until);
        }
        // Nobody reads on: the provider need not write on.
        if (!chat_takes_it) progress.fetch.Cancel(Cancellation::Reason::kClientLeft);
    }
    co_return chat_takes_it;
}

// The rating with this answer in it; the one before when that cannot be had.
Task<std::string> PromptRunner::RatingNow(std::string model, std::string otherwise,
                                          Cancellation& last_words) {
    std::string path = "/api/v1/models";
    const auto models = co_await business_.Page(std::move(path), 200, last_words);
    if (!models) co_return otherwise;
    for (const auto& [key, row] : models->root()) {
        if (row.Get("name").StringOr("") != model) continue;
        if (const auto score = row.Get("reliability_score").AsDouble()) {
            otherwise.clear();
            json::Writer(otherwise).Decimal(*score);
        }
    }
    co_return otherwise;
}

void PromptRunner::Report(const Progress& progress, std::chrono::milliseconds time) {
    const ChatEnd& end = progress.end;
    metrics_.prompts.With({ResultLabel(end.kind)}).Increment();
    metrics_.answer_seconds.Observe(static_cast<double>(time.count()) / 1000.0);
    const bool good = end.kind == ChatEnd::Kind::kCompleted;
    logger_.Log(good ? telemetry::Level::kInfo : telemetry::Level::kWarning,
                good ? "prompt_answered" : "prompt_failed",
                good ? "A prompt was answered" : "A prompt was not answered, or not wholly",
                {{"user_id", "telegram_" + std::to_string(progress.prompt.user_id)},
                 {"model_used", progress.model},
                 {"result", ResultLabel(end.kind)},
                 {"status", end.status},
                 {"error_code", end.code},
                 {"detail", end.detail},
                 {"processing_time_ms", time.count()}});
}

Task<PromptRunner::Outcome> PromptRunner::Run(Prompt prompt, std::string model, Cancellation& stop,
                                              const std::string& stop_code,
                                              Cancellation& last_words) {
    const MonotonicTime start = SystemClock().Now();
    Progress progress(*this, std::move(prompt), std::move(model));
    const Cancellation::Listener stopper(
        stop, [&] { progress.fetch.Cancel(Cancellation::Reason::kAborted); });
    if (stop.IsCancelled()) progress.fetch.Cancel(Cancellation::Reason::kAborted);
    tasks_.Spawn(Fetch(progress));
    const bool chat_takes_it = co_await ShowWhileItComes(progress, last_words);
    const auto time =
        std::chrono::duration_cast<std::chrono::milliseconds>(SystemClock().Now() - start);
    if (stop.IsCancelled() && progress.end.kind == ChatEnd::Kind::kCancelled)
        progress.end.code = stop_code;
    Report(progress, time);

    Outcome outcome;
    outcome.end = progress.end;
    outcome.chat_is_gone = !chat_takes_it && !last_words.IsCancelled();
    if (!chat_takes_it) co_return outcome;
    std::string foot;
    if (progress.has_text) {
        std::string rating = co_await RatingNow(progress.model, progress.score, last_words);
        if (const std::string remark = messages::Remark(progress.end); !remark.empty())
            foot = remark + "\n\n";
        foot += messages::Foot(progress.model, time, rating);
    } else {
        foot = messages::Failure(progress.end);
    }
    auto finished = co_await progress.view.Finish(std::move(foot), last_words);
    if (!finished && finished.error().ChatIsGone()) outcome.chat_is_gone = true;
    co_return outcome;
}

}  // namespace aim::telegram_bot
