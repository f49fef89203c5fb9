#include "services/telegram_bot/command.hpp"

#include <algorithm>

#include "core/http/header_map.hpp"

namespace aim::telegram_bot {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

bool IsNameCharacter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::string_view TakeName(std::string_view& text) {
    const auto end = std::find_if_not(text.begin(), text.end(), IsNameCharacter);
    const auto size = static_cast<std::size_t>(end - text.begin());
    const std::string_view name = text.substr(0, size);
    text.remove_prefix(size);
    return name;
}

std::string_view Trim(std::string_view text) {
    const std::size_t first = text.find_first_not_of(kSpace);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

}  // namespace

std::optional<Command> ParseCommand(std::string_view text) {
    if (!text.starts_with('/')) return std::nullopt;
    text.remove_prefix(1);
    Command command;
    command.name = TakeName(text);
    if (command.name.empty()) return std::nullopt;
    std::transform(command.name.begin(), command.name.end(), command.name.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    if (text.starts_with('@')) {
        text.remove_prefix(1);
        command.addressee = TakeName(text);
    }
    // "/etc/passwd" is a path that somebody asks about.
    if (!text.empty() && kSpace.find(text.front()) == std::string_view::npos) return std::nullopt;
    command.arguments = Trim(text);
    return command;
}

std::optional<std::string> WithoutMention(std::string_view text, std::string_view bot_username) {
    if (bot_username.empty()) return std::nullopt;
    for (std::size_t at = text.find('@'); at != std::string_view::npos;
         at = text.find('@', at + 1)) {
        std::string_view rest = text.substr(at + 1);
        if (!http::EqualsIgnoreCase(TakeName(rest), bot_username)) continue;
        std::string without(Trim(text.substr(0, at)));
        const std::string_view after = Trim(rest);
        if (!without.empty() && !after.empty()) without.push_back(' ');
        return without.append(after);
    }
    return std::nullopt;
}

}  // namespace aim::telegram_bot
