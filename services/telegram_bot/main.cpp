#include "services/telegram_bot/application.hpp"

int main() { return aim::telegram_bot::RunProcess(); }
