#include "services/telegram_bot/bot.hpp"

#include <utility>

#include "core/http/header_map.hpp"
#include "services/telegram_bot/message_splitter.hpp"
#include "services/telegram_bot/messages.hpp"

namespace aim::telegram_bot {
namespace {

constexpr std::size_t kMostErrorsKept = 10;
constexpr std::size_t kMostUsers = 100'000;

std::string_view KindLabel(Update::Kind kind) {
    switch (kind) {
        case Update::Kind::kText:
            return "text";
        case Update::Kind::kOther:
            return "other";
        case Update::Kind::kEdited:
            return "edited";
        case Update::Kind::kButton:
            return "button";
        case Update::Kind::kLeft:
            return "left";
        case Update::Kind::kMigrated:
            return "migrated";
        case Update::Kind::kIgnored:
            break;
    }
    return "ignored";
}

resilience::RateLimiter::Options PerMinute(std::uint32_t limit) {
    resilience::RateLimiter::Options options;
    options.limit = limit;
    options.max_keys = kMostUsers;
    return options;
}

}  // namespace

Bot::Bot(TelegramClient& telegram, BusinessClient& business, TaskGroup& tasks, Executor executor,
         telemetry::Logger& logger, BotMetrics& metrics, const Clock& clock, Settings settings)
    : business_(business),
      tasks_(tasks),
      logger_(logger),
      metrics_(metrics),
      clock_(clock),
      settings_(std::move(settings)),
      sender_(telegram, executor, logger, metrics, settings_.sender,
              [this](std::int64_t from, std::int64_t to) { Note(choices_.Move(from, to)); }),
      runner_(business, sender_, tasks, executor, logger, metrics, settings_.runner),
      queue_(settings_.queue),
      choices_(settings_.choices_file),
      prompts_limit_(PerMinute(settings_.prompts_per_minute)),
      updates_limit_(PerMinute(settings_.updates_per_minute)) {
    choices_.Load();
}

void Bot::SetIdentity(std::int64_t id, std::string username) {
    id_ = id;
    username_ = std::move(username);
}

Destination Bot::DestinationOf(const Update& update) const {
    return {update.chat_id, update.thread_id, update.in_private ? 0 : update.message_id};
}

void Bot::NoteError(std::string text) {
    errors_.push_back({clock_.WallNow(), std::move(text)});
    if (errors_.size() > kMostErrorsKept) errors_.pop_front();
}

void Bot::Note(const Result<void>& saved) {
    if (saved) return;
    logger_.Error("choices_not_saved", saved.error().message);
    NoteError(saved.error().message);
}

template <typename MakeReply>
void Bot::Reply(MakeReply&& make_reply) {
    if (replies_ >= settings_.most_replies) {
        metrics_.dropped.Increment();
        return;
    }
    ++replies_;
    tasks_.Spawn(Counted(make_reply()));
}

Task<> Bot::Counted(Task<> reply) {
    try {
        co_await std::move(reply);
    } catch (...) {
        // Memory is short; the count must stay right.
        logger_.Error("reply_failed", "A reply could not be made");
    }
    --replies_;
}

void Bot::Say(const Update& update, std::string text) {
    Reply([&] { return SendText(DestinationOf(update), std::move(text), std::string()); });
}

void Bot::OnUpdate(Update update) {
    metrics_.updates.With({KindLabel(update.kind)}).Increment();
    if (update.kind == Update::Kind::kIgnored) return;
    if (update.kind == Update::Kind::kLeft) {
        ForgetChat(update.chat_id);
        return;
    }
    if (update.kind == Update::Kind::kMigrated) {
        Note(choices_.Move(update.chat_id, update.new_chat_id));
        return;
    }
    if (!updates_limit_.Check(std::to_string(update.user_id), clock_.Now()).allowed) {
        metrics_.dropped.Increment();
        return;
    }
    switch (update.kind) {
        case Update::Kind::kText:
            OnText(std::move(update));
            break;
        case Update::Kind::kButton:
            OnButton(std::move(update));
            break;
        case Update::Kind::kOther:
            if (update.in_private || update.replies_to_bot) Say(update, messages::TextOnly());
            break;
        case Update::Kind::kEdited:
            if (update.in_private) Say(update, messages::EditedIgnored());
            break;
        default:
            break;
    }
}

void Bot::ForgetChat(std::int64_t chat_id) {
    logger_.Info("chat_gone", "A chat takes no more messages", {{"chat_id", chat_id}});
    queue_.TakeWaiting(chat_id);
    if (const auto running = running_.find(chat_id); running != running_.end())
        running->second.stop.Cancel(Cancellation::Reason::kClientLeft);
    Note(choices_.Forget(chat_id));
}

void Bot::OnText(Update update) {
    const auto command = ParseCommand(update.text);
    if (command) {
        const bool to_another =
            !command->addressee.empty() && !http::EqualsIgnoreCase(command->addressee, username_);
        if (!to_another) OnCommand(*command, update);
        return;
    }
    if (update.in_private) {
        std::string text = std::move(update.text);
        OnPrompt(update, std::move(text));
        return;
    }
    // In a group people talk to one another: only what is meant for the bot is a prompt.
    auto mentioned = WithoutMention(update.text, username_);
    if (!mentioned && !update.replies_to_bot) return;
    std::string text = mentioned ? std::move(*mentioned) : std::move(update.text);
    OnPrompt(update, std::move(text));
}

void Bot::OnCommand(const Command& command, const Update& update) {
    const Destination destination = DestinationOf(update);
    const bool admin = IsAdmin(update);
    std::string_view label = command.name;
    if (command.name == "start") {
        Say(update, messages::Start(admin));
    } else if (command.name == "help") {
        Say(update, messages::Help(admin));
    } else if (command.name == "stats") {
        Reply([&] { return SendStats(destination); });
    } else if (command.name == "model" && command.arguments.empty()) {
        Reply([&] { return SendModels(destination); });
    } else if (command.name == "model") {
        Reply([&] { return ChooseByName(destination, command.arguments); });
    } else if (command.name == "ask") {
        if (command.arguments.empty()) {
            Say(update, messages::AskUsage());
        } else {
            OnPrompt(update, command.arguments);
        }
    } else if (command.name == "stop") {
        const auto running = running_.find(update.chat_id);
        if (running == running_.end()) {
            Say(update, messages::NothingToStop());
        } else {
            const std::size_t dropped = queue_.TakeWaiting(update.chat_id).size();
            metrics_.prompts.With({"stopped"}).Increment(dropped);
            running->second.stop.Cancel(Cancellation::Reason::kAborted);
            Say(update, messages::Stopped(dropped));
        }
    } else if (command.name == "admin" && admin) {
        Reply([&] { return SendAdmin(destination); });
    } else {
        // To everybody else /admin is no command either.
        label = "unknown";
        if (update.in_private || !command.addressee.empty())
            Say(update, messages::UnknownCommand());
    }
    metrics_.commands.With({label}).Increment();
}

void Bot::OnPrompt(const Update& update, std::string text) {
    if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
        Say(update, messages::AskUsage());
        return;
    }
    const auto limit = prompts_limit_.Check(std::to_string(update.user_id), clock_.Now());
    if (!limit.allowed) {
        metrics_.prompts.With({"rate_limited"}).Increment();
        Say(update, messages::TooFast(limit.retry_after));
        return;
    }
    Prompt prompt{DestinationOf(update), update.in_private, update.user_id, update.username,
                  std::move(text)};
    switch (queue_.Offer(prompt)) {
        case PromptQueue::Verdict::kStart:
            tasks_.Spawn(WorkOff(std::move(prompt)));
            break;
        case PromptQueue::Verdict::kQueued:
            Say(update, messages::Queued(queue_.WaitingIn(update.chat_id)));
            break;
        case PromptQueue::Verdict::kChatFull:
            metrics_.prompts.With({"chat_full"}).Increment();
            Say(update, messages::ChatQueueFull(queue_.limits().waiting_per_chat));
            break;
        case PromptQueue::Verdict::kFull:
            metrics_.prompts.With({"bot_full"}).Increment();
            Say(update, messages::BotFull());
            break;
    }
}

void Bot::OnButton(Update update) {
    Reply([&] { return ChooseByButton(std::move(update)); });
}

void Bot::CutShort() {
    for (const Prompt& prompt : queue_.TakeAllWaiting()) {
        metrics_.prompts.With({"restarting"}).Increment();
        tasks_.Spawn(SendText(prompt.destination, messages::Restarting(), std::string()));
    }
    for (auto& [chat_id, running] : running_) {
        running.stop_code = "draining";
        running.stop.Cancel(Cancellation::Reason::kShutdown);
    }
}

// The prompts of one chat, one after the other.
Task<> Bot::WorkOff(Prompt prompt) {
    const std::int64_t chat_id = prompt.destination.chat_id;
    for (;;) {
        Running& running = running_[chat_id];
        std::string model(choices_.Get(chat_id));
        PromptRunner::Outcome outcome = co_await runner_.Run(
            std::move(prompt), std::move(model), running.stop, running.stop_code, last_words_);
        running_.erase(chat_id);
        const ChatEnd& end = outcome.end;
        if (end.code == "model_not_found") Note(choices_.Forget(chat_id));
        if (end.kind != ChatEnd::Kind::kCompleted && end.kind != ChatEnd::Kind::kCancelled) {
            NoteError((end.code.empty() ? std::string("no answer") : end.code) +
                      (end.detail.empty() ? "" : ": " + end.detail));
        }
        if (outcome.chat_is_gone) ForgetChat(chat_id);
        auto next = queue_.Finished(chat_id);
        if (!next) co_return;
        prompt = std::move(*next);
    }
}

}  // namespace aim::telegram_bot
