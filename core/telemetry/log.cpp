#include "core/telemetry/log.hpp"

#include <array>
#include <cctype>

namespace aim::telemetry {
namespace {

constexpr std::array<std::string_view, 6> kLevelNames = {"DEBUG", "INFO",     "WARNING",
                                                         "ERROR", "CRITICAL", "OFF"};

}  // namespace

std::string_view LevelName(Level level) { return kLevelNames.at(static_cast<std::size_t>(level)); }

std::optional<Level> ParseLevel(std::string_view name) {
    std::string upper(name);
    for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    if (upper == "WARN") return Level::kWarning;
    for (std::size_t i = 0; i < kLevelNames.size(); ++i) {
        if (kLevelNames[i] == upper) return static_cast<Level>(i);
    }
    return std::nullopt;
}

}  // namespace aim::telemetry
