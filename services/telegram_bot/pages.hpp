#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.hpp"
#include "core/base/result.hpp"
#include "core/json/value.hpp"

namespace aim::telegram_bot {

// Pages made from the business API's answers. Pure functions; a member that is missing or of
// another type is left out or shown as a dash, never trusted.

// GET /api/v1/models/stats as /stats shows it, best first, at most kMostListed models.
std::string StatsPage(json::Value stats, WallTime now);
inline constexpr std::size_t kMostListed = 50;

// One failure that the bot itself met, for /admin.
struct RecentError {
    WallTime at{};
    std::string text;
};

// Providers' state from GET /api/v1/models, checks from GET /ready, failures from the history and
// the bot's own. Absent values are named as not available.
std::string AdminPage(json::Value models, json::Value readiness, json::Value history,
                      const std::deque<RecentError>& own_errors);

// A model that can be chosen.
struct ModelChoice {
    std::string id;
    std::string name;
};
// The available models of GET /api/v1/models, best first, at most kMostChoices.
std::vector<ModelChoice> AvailableModels(json::Value models);
inline constexpr std::size_t kMostChoices = 30;

// The inline keyboard of /model, as reply_markup; the current choice is marked. Buttons carry ids:
// a name may be longer than the 64 bytes that a button holds.
std::string ModelKeyboard(const std::vector<ModelChoice>& models, std::string_view current);
inline constexpr std::string_view kAutoButton = "m:auto";
inline constexpr std::string_view kModelButton = "m:";

// "2025-01-17 10:30 UTC".
std::string MinuteText(WallTime time);

}  // namespace aim::telegram_bot
