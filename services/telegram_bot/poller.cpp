#include "services/telegram_bot/poller.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/json/writer.hpp"
#include "core/resilience/backoff.hpp"
#include "services/telegram_bot/wake_up.hpp"

namespace aim::telegram_bot {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kCallTime{20'000};
constexpr milliseconds kPollSlack{10'000};
constexpr milliseconds kLongestWait{60'000};
// Telegram gives unconfirmed updates again; numbers further back are a new numbering.
constexpr std::int64_t kRepeatedWithin = 10'000;
// So often all updates together are asked for again before they are asked for one by one.
constexpr int kUnreadableTries = 3;
// Somebody who sets a webhook again and again is left alone after so many removals.
constexpr int kWebhookTries = 3;

}  // namespace

Poller::Poller(TelegramClient& telegram, Bot& bot, Executor executor, telemetry::Logger& logger,
               BotMetrics& metrics, StatusBoard& status, const Clock& clock, Settings settings,
               std::function<void()> on_token_refused)
    : telegram_(telegram),
      bot_(bot),
      executor_(executor),
      logger_(logger),
      metrics_(metrics),
      status_(status),
      clock_(clock),
      settings_(std::move(settings)),
      on_token_refused_(std::move(on_token_refused)),
      file_(settings_.offset_file),
      random_(MakeRandom()) {}

Task<> Poller::Run() {
    const bool known = co_await Introduce();
    if (!known) co_return;
    co_await SetCommands();
    offset_ = file_.Load(clock_.WallNow());
    logger_.Info("polling", "The bot asks for updates", {{"offset", offset_}});
    while (!stop_.IsCancelled()) {
        std::string method = "getUpdates";
        std::string question = Question();
        const milliseconds time = settings_.poll_time + kPollSlack;
        auto answer = co_await telegram_.Call(std::move(method), std::move(question), time, stop_);
        if (answer) {
            failures_ = 0;
            conflicts_ = 0;
            unreadable_ = 0;
            webhook_tries_ = 0;
            status_.SetTelegram(true, "");
            Take(answer->root().Get("result"));
            continue;
        }
        ApiFailure failure = std::move(answer.error());
        const bool go_on = co_await Handle(std::move(failure));
        if (!go_on) co_return;
    }
}

// Who am I? Until Telegram says so; false when it never will.
Task<bool> Poller::Introduce() {
    for (;;) {
        std::string method = "getMe";
        std::string nothing = "{}";
        auto answer =
            co_await telegram_.Call(std::move(method), std::move(nothing), kCallTime, stop_);
        if (answer) {
            failures_ = 0;
            const json::Value me = answer->root().Get("result");
            std::string username(me.Get("username").StringOr(""));
            logger_.Info("introduced", "Telegram knows the bot", {{"username", username}});
            bot_.SetIdentity(me.Get("id").Int64Or(0), std::move(username));
            status_.SetTelegram(true, "");
            co_return true;
        }
        ApiFailure failure = std::move(answer.error());
        const bool go_on = co_await Handle(std::move(failure));
        if (!go_on) co_return false;
    }
}

// The menu beside the input field. Not worth a second try: it is there from the last start.
Task<> Poller::SetCommands() {
    std::string arguments;
    json::Writer writer(arguments);
    writer.BeginObject().Key("commands").BeginArray();
    const auto add = [&](const char* command, const char* description) {
        writer.BeginObject()
            .Field("command", command)
            .Field("description", description)
            .EndObject();
    };
    add("start", "Начало работы");
    add("help", "Справка");
    add("stats", "Статистика моделей");
    add("model", "Выбор модели");
    add("ask", "Задать вопрос");
    add("stop", "Остановить ответ");
    writer.EndArray().EndObject();
    std::string method = "setMyCommands";
    auto answer =
        co_await telegram_.Call(std::move(method), std::move(arguments), kCallTime, stop_);
    if (!answer && !answer.error().cancelled)
        logger_.Warning("commands_not_set", answer.error().description);
}

std::string Poller::Question() const {
    std::string question;
    json::Writer writer(question);
    writer.BeginObject();
    if (offset_ != 0) writer.Field("offset", offset_);
    writer.Field("timeout", settings_.poll_time.count())
        .Field("limit", unreadable_ < kUnreadableTries ? 100 : 1);
    writer.Key("allowed_updates").Raw(kAllowedUpdates).EndObject();
    return question;
}

// The file says that the updates are taken before the bot has them: a process that is killed in
// between loses them, instead of answering them again after its next start.
void Poller::Take(json::Value updates) {
    if (updates.size() == 0) return;
    std::vector<Update> taken;
    for (const auto& [key, value] : updates) {
        if (auto update = TakeOne(value)) taken.push_back(std::move(*update));
    }
    SaveOffset();
    for (Update& update : taken) bot_.OnUpdate(std::move(update));
}

std::optional<Update> Poller::TakeOne(json::Value value) {
    auto update = ReadUpdate(value, bot_.id());
    if (!update) return std::nullopt;
    if (update->id < offset_ && update->id >= offset_ - kRepeatedWithin) {
        metrics_.updates.With({"repeated"}).Increment();
        return std::nullopt;
    }
    offset_ = update->id + 1;
    return update;
}

void Poller::SaveOffset() {
    if (const auto saved = file_.Save(offset_, clock_.WallNow()); !saved)
        logger_.Error("offset_not_saved", saved.error().message);
}

// One update that nobody can read must not stand in the way of all later ones.
void Poller::SkipUnreadable() {
    if (++unreadable_ <= kUnreadableTries || offset_ == 0) return;
    logger_.Error("update_skipped", "An update could not be read and is left out",
                  {{"update_id", offset_}});
    ++offset_;
    SaveOffset();
}

// Waits as the failure asks for. False when there is no use in asking again.
Task<bool> Poller::Handle(ApiFailure failure) {
    if (failure.cancelled || stop_.IsCancelled()) co_return false;
    status_.SetTelegram(false, failure.description);
    if (failure.code == 401 || failure.code == 404) {
        logger_.Error("token_refused",
                      "Telegram does not know this token (TELEGRAM_BOT_TOKEN): the bot stops",
                      {{"description", failure.description}});
        on_token_refused_();
        co_return false;
    }
    milliseconds wait{0};
    if (failure.code == 409) {
        ++conflicts_;
        if (failure.Says("webhook")) {
            const bool left = co_await LeaveWebhook();
            if (left) co_return true;
        } else if (conflicts_ == 1) {
            logger_.Warning("another_poller",
                            "Another process asks for this bot's updates with the same token; "
                            "only one may run. Waiting for it to stop",
                            {{"description", failure.description}});
        }
        wait = std::min(settings_.conflict_wait * std::min(conflicts_, 12), kLongestWait);
    } else if (failure.code == 429) {
        wait =
            failure.retry_after.value_or(milliseconds(1000)) + milliseconds(random_->Next() % 250);
        logger_.Warning("telegram_flood_limit", "Telegram asks for a pause",
                        {{"retry_after_ms", wait.count()}});
    } else {
        ++failures_;
        if (failure.unreadable) SkipUnreadable();
        resilience::BackoffOptions backoff;
        backoff.initial = settings_.first_backoff;
        backoff.cap = kLongestWait / 2;
        wait = resilience::BackoffDelay(backoff, failures_, *random_);
        if (failures_ == 1) {
            logger_.Warning("telegram_unreachable", "Telegram gives no updates; trying again",
                            {{"code", failure.code}, {"description", failure.description}});
        }
    }
    const bool waited = co_await Pause(executor_, wait, stop_);
    co_return waited;
}

Task<bool> Poller::LeaveWebhook() {
    if (webhook_tries_ >= kWebhookTries) co_return false;
    ++webhook_tries_;
    logger_.Warning("webhook_removed",
                    "The bot had a webhook, which excludes asking for updates; it is removed");
    std::string method = "deleteWebhook";
    std::string nothing = "{}";
    auto answer = co_await telegram_.Call(std::move(method), std::move(nothing), kCallTime, stop_);
    co_return answer.has_value();
}

}  // namespace aim::telegram_bot
