// What Telegram makes of a text with a parse_mode: the text that people see, or the error that the
// Bot API would give, in its words.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace aim::testing {

struct ParsedText {
    std::string visible;
    std::string error;  // "can't parse entities: …"; empty when the text is right
    int entities = 0;
};

ParsedText ParseTelegramHtml(std::string_view text);
ParsedText ParseTelegramMarkdownV2(std::string_view text);

// The length as Telegram counts it.
std::size_t TelegramLength(std::string_view utf8);

// Without white space around.
std::string TrimMessage(std::string_view text);

}  // namespace aim::testing
