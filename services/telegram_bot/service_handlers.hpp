#pragma once

#include <string>

#include "core/http/router.hpp"
#include "core/telemetry/metrics.hpp"
#include "services/telegram_bot/status_board.hpp"

namespace aim::telegram_bot {

// /health, /ready and /metrics. None of them asks anybody: they answer from what was found out
// last. All that is passed outlives the router.
//
// /ready is 503 while the bot cannot serve (Telegram is not reached, another poller has its place,
// it drains), and "degraded" while it can only say that the business API is away.
void AddServiceRoutes(http::Router& router, const StatusBoard& status,
                      const telemetry::Metrics& metrics, const std::string& version);

}  // namespace aim::telegram_bot
