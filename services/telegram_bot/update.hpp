#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/json/value.hpp"

namespace aim::telegram_bot {

// One thing that happened, as far as the bot cares; a copy, independent of the answer it came in.
struct Update {
    enum class Kind {
        kText,      // a message with text
        kOther,     // a message with something else that a person sent: picture, voice, file
        kEdited,    // an edited message with text
        kButton,    // a pressed button
        kLeft,      // the bot was blocked, removed from a group, or the group was closed for it
        kMigrated,  // the group became a supergroup: new_chat_id
        kIgnored,   // everything else
    };

    std::int64_t id = 0;
    Kind kind = Kind::kIgnored;
    std::int64_t chat_id = 0;
    std::int64_t new_chat_id = 0;
    bool in_private = false;
    std::int64_t thread_id = 0;   // of a forum's topic, else 0
    std::int64_t message_id = 0;  // for a button: of the message that it hangs on
    std::int64_t user_id = 0;
    std::string username;  // may be empty
    bool replies_to_bot = false;
    std::string text;
    std::string callback_id;
    std::string callback_data;
};

// What a person may do with the bot comes as one of these.
inline constexpr const char* kAllowedUpdates =
    R"(["message","edited_message","callback_query","my_chat_member"])";

// Nullopt when there is no update_id; everything that is not understood is kIgnored. `bot_id` is
// the bot's own user id.
std::optional<Update> ReadUpdate(json::Value update, std::int64_t bot_id);

}  // namespace aim::telegram_bot
