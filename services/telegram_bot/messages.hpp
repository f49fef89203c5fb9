#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "services/telegram_bot/chat_end.hpp"

namespace aim::telegram_bot::messages {

// Every sentence that people read, in Russian, in one place. Plain text, without formatting.

std::string Start(bool admin);
std::string Help(bool admin);
std::string UnknownCommand();
std::string AskUsage();
std::string TextOnly();
std::string EditedIgnored();
std::string Queued(std::size_t position);
std::string ChatQueueFull(std::size_t limit);
std::string BotFull();
std::string TooFast(std::chrono::milliseconds retry_after);
std::string Restarting();
std::string Stopped(std::size_t dropped);
std::string NothingToStop();
std::string ModelChosen(std::string_view model);  // empty: automatic choice
std::string ModelUnknown(std::string_view model);
std::string ModelQuestion(std::string_view current);
std::string ButtonTooOld();
std::string PageUnavailable();

// "🤖 Обрабатываю через модель …", before the answer.
std::string Head(std::string_view model);
// Model, time and rating, after it. A negative rating is not known.
std::string Foot(std::string_view model, std::chrono::milliseconds time, std::string_view rating);

// What stands in the place of an answer that did not come, or after one that was cut.
std::string Failure(const ChatEnd& end);
// After an answer that came, but not all of it; empty when it is whole.
std::string Remark(const ChatEnd& end);

// "1 секунду", "3 секунды", "21 минуту": at least one second, rounded up.
std::string Duration(std::chrono::milliseconds time);
// "1.2 сек".
std::string Seconds(std::chrono::milliseconds time);

}  // namespace aim::telegram_bot::messages
