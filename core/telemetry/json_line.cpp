#include "core/telemetry/json_line.hpp"

#include <charconv>
#include <chrono>
#include <cmath>

#include "core/base/json_string.hpp"
#include "core/base/time_format.hpp"

namespace aim::telemetry {
namespace {

template <typename T>
void AppendNumber(T value, std::string& out) {
    char buffer[40];
    const std::to_chars_result result = std::to_chars(buffer, buffer + sizeof buffer, value);
    out.append(buffer, result.ptr);
}

struct AppendValue {
    std::string& out;

    void operator()(std::string_view text) const { AppendJsonString(text, out); }
    void operator()(bool flag) const { out.append(flag ? "true" : "false"); }
    void operator()(std::int64_t number) const { AppendNumber(number, out); }
    void operator()(std::uint64_t number) const { AppendNumber(number, out); }
    void operator()(double number) const {
        if (std::isfinite(number)) {
            AppendNumber(number, out);
        } else {
            out.append("null");
        }
    }
};

// FormatRfc3339 costs more than the rest of a line; within a second only the milliseconds change.
void AppendTimestamp(WallTime now, std::string& out) {
    struct Cache {
        std::chrono::sys_seconds second = std::chrono::sys_seconds::min();
        std::string text;
    };
    thread_local Cache cache;
    const auto second = std::chrono::floor<std::chrono::seconds>(now);
    if (second != cache.second) {
        cache.second = second;
        cache.text = FormatRfc3339(now);
    }
    constexpr std::size_t kSuffix = 4;  // "123Z"
    const auto millis = static_cast<int>((now - second) / std::chrono::milliseconds(1));
    out.append(cache.text, 0, cache.text.size() - kSuffix);
    out.push_back(static_cast<char>('0' + millis / 100));
    out.push_back(static_cast<char>('0' + millis / 10 % 10));
    out.push_back(static_cast<char>('0' + millis % 10));
    out.push_back('Z');
}

}  // namespace

void AppendJsonLine(WallTime now, std::string_view service, Level level, std::string_view event,
                    std::string_view message, std::span<const Field> fields, std::string& out) {
    const AppendValue append_value{out};
    const auto key = [&out](std::string_view name) {
        out.push_back(',');
        AppendJsonString(name, out);
        out.push_back(':');
    };
    out.reserve(out.size() + 512);
    out.append("{\"timestamp\":\"");
    AppendTimestamp(now, out);
    out.append("\",\"level\":\"").append(LevelName(level)).push_back('"');
    key("service");
    AppendJsonString(service, out);

    const Field* request_id = nullptr;
    for (const Field& field : fields) {
        if (field.key == kRequestIdField) request_id = &field;
    }
    key(kRequestIdField);
    if (request_id != nullptr) {
        std::visit(append_value, request_id->value);
    } else {
        out.append("null");
    }
    key("event");
    AppendJsonString(event, out);
    key("message");
    AppendJsonString(message, out);
    for (const Field& field : fields) {
        if (field.key == kRequestIdField) continue;
        key(field.key);
        std::visit(append_value, field.value);
    }
    out.push_back('}');
}

}  // namespace aim::telemetry
