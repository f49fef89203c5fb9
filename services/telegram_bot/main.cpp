#include "services/telegram_bot/process.hpp"

int main() { return aim::telegram_bot::RunProcess(); }
