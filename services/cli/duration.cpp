#include "services/cli/duration.hpp"

#include <charconv>
#include <cstdint>

namespace aim::cli {

std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text) {
    using std::chrono::milliseconds;
    constexpr milliseconds kMost = std::chrono::hours(24 * 366 * 100);
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) return std::nullopt;
    const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
    std::int64_t factor = 0;
    if (unit == "ms" || (unit.empty() && number == 0)) {
        factor = 1;
    } else if (unit == "s") {
        factor = 1000;
    } else if (unit == "m") {
        factor = 60'000;
    } else if (unit == "h") {
        factor = 3'600'000;
    } else if (unit == "d") {
        factor = 86'400'000;
    } else {
        return std::nullopt;
    }
    const milliseconds time(static_cast<std::int64_t>(number) * factor);
    if (time > kMost) return std::nullopt;
    return time;
}

}  // namespace aim::cli
