#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/base/clock.hpp"
#include "core/telemetry/log.hpp"

namespace aim::telemetry {

// One log line without its line feed, as contract.md's last line shows it. Always valid JSON in
// UTF-8 on one line, whatever the texts hold. Internal to core/telemetry, which may not use
// core/json.
void AppendJsonLine(WallTime now, std::string_view service, Level level, std::string_view event,
                    std::string_view message, std::span<const Field> fields, std::string& out);

}  // namespace aim::telemetry
