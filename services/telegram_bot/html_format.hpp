#pragma once

#include <string>
#include <string_view>

namespace aim::telegram_bot {

// The three characters that mean something in Telegram's HTML, as entities.
std::string EscapeHtml(std::string_view text);

// A model's Markdown as Telegram's HTML: fenced blocks, `code`, **bold**, *italic*, ~~strike~~,
// headings (bold) and http links. Everything else stays as it is, escaped. Underscores mean
// nothing, for they stand in names. What is not closed on its line is ordinary text, so the tags
// are balanced and well nested whatever comes in. What a reader sees is never longer than the
// Markdown. At most kMostEntities are made, for Telegram ignores more.
std::string MarkdownToHtml(std::string_view markdown);
inline constexpr int kMostEntities = 90;

}  // namespace aim::telegram_bot
