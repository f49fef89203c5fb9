#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace aim::telemetry {

enum class Level : int { kDebug = 0, kInfo = 1, kWarning = 2, kError = 3, kCritical = 4, kOff = 5 };

std::string_view LevelName(Level level);                 // "INFO"
std::optional<Level> ParseLevel(std::string_view name);  // any case; WARN is WARNING

// One further field of a log line. The key and a text are borrowed for the duration of the call.
// Never a body or a key of a provider.
struct Field {
    using Value = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

    template <typename T>
        requires std::is_convertible_v<const T&, std::string_view>
    Field(std::string_view name, const T& text) : key(name), value(std::string_view(text)) {}
    Field(std::string_view name, bool flag) : key(name), value(flag) {}
    template <std::integral T>
        requires(!std::same_as<T, bool>)
    Field(std::string_view name, T number) : key(name) {
        if constexpr (std::is_signed_v<T>) {
            value = static_cast<std::int64_t>(number);
        } else {
            value = static_cast<std::uint64_t>(number);
        }
    }
    Field(std::string_view name, double number) : key(name), value(number) {}

    std::string_view key;
    Value value;
};

// The name under which the request's id is given; it gets its own place near the front of the line.
inline constexpr std::string_view kRequestIdField = "request_id";

// Where events go. Library code gets a Logger& from its maker and never prints by itself.
// Thread-safe; Log never waits for a disk, a terminal or another thread.
class Logger {
  public:
    explicit Logger(Level level) : level_(level) {}
    virtual ~Logger() = default;
    Logger(const Logger&) = delete;
    Logger& operator=(const Logger&) = delete;

    bool Enabled(Level level) const { return level >= level_.load(std::memory_order_relaxed); }
    void SetLevel(Level level) { level_.store(level, std::memory_order_relaxed); }
    Level level() const { return level_.load(std::memory_order_relaxed); }

    // `event` is a stable snake_case name ("prompt_processed"), `message` is for people.
    void Log(Level level, std::string_view event, std::string_view message,
             std::initializer_list<Field> fields = {}) {
        if (Enabled(level)) Write(level, event, message, std::span(fields.begin(), fields.size()));
    }
    void Log(Level level, std::string_view event, std::string_view message,
             std::span<const Field> fields) {
        if (Enabled(level)) Write(level, event, message, fields);
    }
    void Debug(std::string_view event, std::string_view message,
               std::initializer_list<Field> fields = {}) {
        Log(Level::kDebug, event, message, fields);
    }
    void Info(std::string_view event, std::string_view message,
              std::initializer_list<Field> fields = {}) {
        Log(Level::kInfo, event, message, fields);
    }
    void Warning(std::string_view event, std::string_view message,
                 std::initializer_list<Field> fields = {}) {
        Log(Level::kWarning, event, message, fields);
    }
    void Error(std::string_view event, std::string_view message,
               std::initializer_list<Field> fields = {}) {
        Log(Level::kError, event, message, fields);
    }

  protected:
    virtual void Write(Level level, std::string_view event, std::string_view message,
                       std::span<const Field> fields) = 0;

  private:
    std::atomic<Level> level_;
};

}  // namespace aim::telemetry
