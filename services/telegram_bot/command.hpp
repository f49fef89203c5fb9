#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace aim::telegram_bot {

// "/stats@SomeBot last week" taken apart.
struct Command {
    std::string name;       // lower case, without the slash
    std::string addressee;  // after the @, empty without one
    std::string arguments;  // trimmed
};

// Nullopt when the text is no command: it does not begin with a slash and a name of letters,
// digits and underscores.
std::optional<Command> ParseCommand(std::string_view text);

// The text without a mention of the bot ("@SomeBot"), wherever it stands; nullopt when there is
// none. Names of bots ignore case.
std::optional<std::string> WithoutMention(std::string_view text, std::string_view bot_username);

}  // namespace aim::telegram_bot
