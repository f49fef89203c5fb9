#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace aim::cli {

// "90s", "15m", "36h", "30d", "500ms", "0": a whole number and its unit; nullopt for anything else
// and for more than a hundred years.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);

}  // namespace aim::cli
