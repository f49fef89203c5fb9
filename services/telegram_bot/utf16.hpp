#pragma once

#include <cstddef>
#include <string_view>

namespace aim::telegram_bot {

// Telegram counts a message's length in UTF-16 code units: a character above U+FFFF is two. The
// texts here are UTF-8; a malformed byte counts as the one U+FFFD that it becomes when it is sent.

// The most that one message may hold.
inline constexpr std::size_t kMessageUnits = 4096;

std::size_t Utf16Length(std::string_view text);

// How many bytes at the front of `text` have at most `units` code units, without cutting a
// character.
std::size_t Utf16Prefix(std::string_view text, std::size_t units);

}  // namespace aim::telegram_bot
