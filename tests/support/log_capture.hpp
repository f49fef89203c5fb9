#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/telemetry/log.hpp"

namespace aim::testing {

struct CapturedLog {
    telemetry::Level level = telemetry::Level::kInfo;
    std::string event;
    std::string message;
    std::map<std::string, std::string, std::less<>> fields;  // numbers and booleans as text
};

// Keeps what is logged, for tests to look at. Thread-safe.
class LogCapture final : public telemetry::Logger {
  public:
    explicit LogCapture(telemetry::Level level = telemetry::Level::kDebug) : Logger(level) {}

    std::vector<CapturedLog> records() const;
    std::size_t Count(std::string_view event) const;
    // The last record of that event; an empty one (event "") when there is none.
    CapturedLog Last(std::string_view event) const;
    // True when the text stands in any event, message or field: for canary keys.
    bool Contains(std::string_view text) const;

  protected:
    void Write(telemetry::Level level, std::string_view event, std::string_view message,
               std::span<const telemetry::Field> fields) override;

  private:
    mutable std::mutex mutex_;
    std::vector<CapturedLog> records_;
};

}  // namespace aim::testing
