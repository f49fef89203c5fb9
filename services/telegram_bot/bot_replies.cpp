// The answers of Bot to commands and buttons.
#include <utility>

#include "services/telegram_bot/bot.hpp"
#include "services/telegram_bot/message_splitter.hpp"
#include "services/telegram_bot/messages.hpp"

namespace aim::telegram_bot {

Task<> Bot::SendText(Destination destination, std::string text, std::string markup) {
    const std::vector<std::string> parts = SplitMessage(text);
    for (std::size_t i = 0; i < parts.size(); ++i) {
        Outgoing message;
        message.destination = destination;
        message.text = parts[i];
        if (i + 1 == parts.size()) message.markup = markup;
        auto sent = co_await sender_.Deliver(std::move(message), last_words_);
        if (sent) continue;
        if (sent.error().ChatIsGone()) ForgetChat(destination.chat_id);
        co_return;
    }
}

Task<> Bot::SendStats(Destination destination) {
    std::string path = "/api/v1/models/stats";
    auto stats = co_await business_.Page(std::move(path), 200, last_words_);
    std::string page = stats && stats->root().IsArray() ? StatsPage(stats->root(), clock_.WallNow())
                                                        : messages::PageUnavailable();
    if (!stats) NoteError("/stats: " + stats.error().message);
    co_await SendText(destination, std::move(page), std::string());
}

Task<> Bot::SendAdmin(Destination destination) {
    std::string models_path = "/api/v1/models";
    auto models = co_await business_.Page(std::move(models_path), 200, last_words_);
    std::string ready_path = "/ready";
    auto ready = co_await business_.Page(std::move(ready_path), 503, last_words_);
    std::string history_path = "/api/v1/prompts/history?limit=50";
    auto history = co_await business_.Page(std::move(history_path), 200, last_words_);
    std::string page =
        AdminPage(models ? models->root() : json::Value(), ready ? ready->root() : json::Value(),
                  history ? history->root() : json::Value(), errors_);
    co_await SendText(destination, std::move(page), std::string());
}

Task<> Bot::SendModels(Destination destination) {
    std::string path = "/api/v1/models";
    auto models = co_await business_.Page(std::move(path), 200, last_words_);
    std::string text = messages::PageUnavailable();
    std::string markup;
    if (models) {
        const std::string current(choices_.Get(destination.chat_id));
        text = messages::ModelQuestion(current);
        markup = ModelKeyboard(AvailableModels(models->root()), current);
    }
    co_await SendText(destination, std::move(text), std::move(markup));
}

Task<> Bot::ChooseByName(Destination destination, std::string name) {
    std::string text = messages::ModelUnknown(name);
    if (name == "auto") {
        Note(choices_.Forget(destination.chat_id));
        text = messages::ModelChosen({});
    } else {
        std::string path = "/api/v1/models";
        auto models = co_await business_.Page(std::move(path), 200, last_words_);
        if (!models) text = messages::PageUnavailable();
        for (const ModelChoice& choice : AvailableModels(models ? models->root() : json::Value())) {
            if (choice.name != name) continue;
            Note(choices_.Set(destination.chat_id, name));
            text = messages::ModelChosen(name);
        }
    }
    co_await SendText(destination, std::move(text), std::string());
}

// What a button says comes from the client and may be anything.
Task<> Bot::ChooseByButton(Update update) {
    std::string notice = messages::ButtonTooOld();
    std::string chosen;
    bool found = false;
    if (update.chat_id != 0 && update.callback_data == kAutoButton) {
        found = true;
    } else if (update.chat_id != 0 && update.callback_data.starts_with(kModelButton)) {
        std::string path = "/api/v1/models";
        auto models = co_await business_.Page(std::move(path), 200, last_words_);
        if (!models) notice = messages::PageUnavailable();
        const std::string id = update.callback_data.substr(kModelButton.size());
        for (const ModelChoice& choice : AvailableModels(models ? models->root() : json::Value())) {
            if (choice.id != id) continue;
            chosen = choice.name;
            found = true;
        }
    }
    if (found) {
        Note(choices_.Set(update.chat_id, chosen));
        notice = messages::ModelChosen(chosen);
    }
    // At most 200 characters there; too late an answer is refused, which changes nothing.
    std::string spoken = notice.substr(0, notice.find('\n'));
    std::string callback_id = update.callback_id;
    co_await sender_.AnswerButton(std::move(callback_id), std::move(spoken), last_words_);
    if (!found || update.message_id == 0) co_return;
    Outgoing message;
    message.destination = {update.chat_id, update.thread_id, 0};
    message.message_id = update.message_id;
    message.text = std::move(notice);
    auto sent = co_await sender_.Deliver(std::move(message), last_words_);
    if (!sent && sent.error().ChatIsGone()) ForgetChat(update.chat_id);
}

}  // namespace aim::telegram_bot
