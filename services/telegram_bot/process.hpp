#pragma once

namespace aim::telegram_bot {

// The whole process: configuration, signals, start, wait, drain. Returns the exit status: 2 for a
// wrong configuration, a token that Telegram does not know among it.
int RunProcess();

}  // namespace aim::telegram_bot
