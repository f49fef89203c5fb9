#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.hpp"

namespace aim {

// RFC 3339 in UTC with milliseconds: 2026-11-21T10:30:45.123Z. For years of four digits, which all
// clocks here have; another year is shown as the nearest of them.
std::string FormatRfc3339(WallTime time);
// The same for those who write it somewhere at once.
std::array<char, 24> Rfc3339Chars(WallTime time);

// RFC 3339 with any offset and up to nine digits of fraction (cut to microseconds); nullopt for
// anything else.
std::optional<WallTime> ParseRfc3339(std::string_view text);

}  // namespace aim
