#include "services/telegram_bot/update.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace aim::telegram_bot {
namespace {

// What a person sends that is no text; service messages (somebody joined) are not among them.
constexpr std::array<std::string_view, 15> kContents{
    "photo",   "voice",    "video", "video_note", "audio", "document", "sticker", "animation",
    "contact", "location", "venue", "poll",       "dice",  "story",    "game"};

void ReadSender(json::Value from, Update& update) {
    update.user_id = from.Get("id").Int64Or(0);
    update.username = from.Get("username").StringOr("");
}

void ReadChat(json::Value chat, Update& update) {
    update.chat_id = chat.Get("id").Int64Or(0);
    update.in_private = chat.Get("type").StringOr("") == "private";
}

void ReadMessage(json::Value message, bool edited, std::int64_t bot_id, Update& update) {
    const json::Value from = message.Get("from");
    ReadChat(message.Get("chat"), update);
    ReadSender(from, update);
    update.message_id = message.Get("message_id").Int64Or(0);
    if (const auto target = message.Get("migrate_to_chat_id").AsInt64()) {
        update.kind = Update::Kind::kMigrated;
        update.new_chat_id = *target;
        return;
    }
    // Bots do not talk to bots, and nobody can be asked who a message without a sender is from.
    if (update.chat_id == 0 || update.user_id == 0 || from.Get("is_bot").BoolOr(false)) return;
    if (message.Get("is_topic_message").BoolOr(false))
        update.thread_id = message.Get("message_thread_id").Int64Or(0);
    update.replies_to_bot =
        bot_id != 0 && message.Get("reply_to_message").Get("from").Get("id").Int64Or(0) == bot_id;
    if (const auto text = message.Get("text").AsString()) {
        update.kind = edited ? Update::Kind::kEdited : Update::Kind::kText;
        update.text = *text;
        return;
    }
    const bool content =
        std::any_of(kContents.begin(), kContents.end(),
                    [&](std::string_view name) { return message.Get(name).exists(); });
    if (content && !edited) update.kind = Update::Kind::kOther;
}

void ReadButton(json::Value query, Update& update) {
    ReadSender(query.Get("from"), update);
    const json::Value message = query.Get("message");
    ReadChat(message.Get("chat"), update);
    update.message_id = message.Get("message_id").Int64Or(0);
    if (message.Get("is_topic_message").BoolOr(false))
        update.thread_id = message.Get("message_thread_id").Int64Or(0);
    update.callback_id = query.Get("id").StringOr("");
    update.callback_data = query.Get("data").StringOr("");
    if (!update.callback_id.empty() && update.user_id != 0) update.kind = Update::Kind::kButton;
}

void ReadMembership(json::Value change, Update& update) {
    ReadChat(change.Get("chat"), update);
    ReadSender(change.Get("from"), update);
    const std::string_view status = change.Get("new_chat_member").Get("status").StringOr("");
    if (update.chat_id != 0 && (status == "kicked" || status == "left"))
        update.kind = Update::Kind::kLeft;
}

}  // namespace

std::optional<Update> ReadUpdate(json::Value value, std::int64_t bot_id) {
    const auto id = value.Get("update_id").AsInt64();
    if (!id) return std::nullopt;
    Update update;
    update.id = *id;
    if (const json::Value message = value.Get("message"); message.IsObject()) {
        ReadMessage(message, false, bot_id, update);
    } else if (const json::Value edited = value.Get("edited_message"); edited.IsObject()) {
        ReadMessage(edited, true, bot_id, update);
    } else if (const json::Value query = value.Get("callback_query"); query.IsObject()) {
        ReadButton(query, update);
    } else if (const json::Value change = value.Get("my_chat_member"); change.IsObject()) {
        ReadMembership(change, update);
    }
    return update;
}

}  // namespace aim::telegram_bot
