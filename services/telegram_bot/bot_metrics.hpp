#pragma once

#include "core/telemetry/metrics.hpp"

namespace aim::telegram_bot {

// What the bot counts. All label sets are closed. Thread-safe.
struct BotMetrics {
    explicit BotMetrics(telemetry::Metrics& metrics)
        : updates(metrics.AddCounterFamily("aimanager_telegram_updates_total",
                                           "Updates from Telegram by what they are",
                                           {{"kind",
                                             {"text", "other", "edited", "button", "left",
                                              "migrated", "ignored", "repeated"}}})),
          commands(metrics.AddCounterFamily(
              "aimanager_telegram_commands_total", "Commands of users",
              {{"command",
                {"start", "help", "stats", "model", "ask", "stop", "admin", "unknown"}}})),
          prompts(metrics.AddCounterFamily(
              "aimanager_telegram_prompts_total", "Prompts by what became of them",
              {{"result",
                {"answered", "cut", "refused", "unreachable", "cancelled", "rate_limited",
                 "chat_full", "bot_full", "restarting", "stopped"}}})),
          calls(metrics.AddCounterFamily(
              "aimanager_telegram_api_calls_total", "Calls of the Bot API",
              {{"method",
                {"getMe", "getUpdates", "setMyCommands", "deleteWebhook", "sendMessage",
                 "editMessageText", "sendChatAction", "answerCallbackQuery"}},
               {"result",
                {"ok", "bad_request", "unauthorized", "forbidden", "not_found", "conflict",
                 "rate_limited", "server_error", "unreachable", "cancelled"}}})),
          format_refused(metrics.AddCounter(
              "aimanager_telegram_format_refused_total",
              "Messages that went out as plain text because Telegram refused their formatting")),
          dropped(metrics.AddCounter(
              "aimanager_telegram_updates_dropped_total",
              "Updates that were dropped because too many were being handled, or one user sent "
              "too many")),
          answer_seconds(metrics.AddHistogram("aimanager_telegram_answer_seconds",
                                              "From a prompt's start to the end of its answer",
                                              telemetry::LatencyBounds())) {}

    telemetry::CounterFamily& updates;
    telemetry::CounterFamily& commands;
    telemetry::CounterFamily& prompts;
    telemetry::CounterFamily& calls;
    telemetry::Counter& format_refused;
    telemetry::Counter& dropped;
    telemetry::Histogram& answer_seconds;
};

}  // namespace aim::telegram_bot
