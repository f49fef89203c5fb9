#include "core/telemetry/json_line.hpp"

#include <charconv>
#include <chrono>
#include <cmath>

#include "core/base/time_format.hpp"
#include "core/base/utf8.hpp"

namespace aim::telemetry {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

template <typename T>
void AppendNumber(T value, std::string& out) {
    char buffer[40];
    const std::to_chars_result result = std::to_chars(buffer, buffer + sizeof buffer, value);
    out.append(buffer, result.ptr);
}

bool IsPlain(unsigned char byte) {
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

void AppendEscape(unsigned char byte, std::string& out) {
    static constexpr char kHex[] = "0123456789abcdef";
    switch (byte) {
        case '"':
        case '\\':
            out.push_back('\\');
            out.push_back(static_cast<char>(byte));
            return;
        case '\n':
            out.append("\\n");
            return;
        case '\t':
            out.append("\\t");
            return;
        default:
            out.append("\\u00");
            out.push_back(kHex[byte >> 4]);
            out.push_back(kHex[byte & 15]);
    }
}

struct AppendValue {
    std::string& out;

    void operator()(std::string_view text) const { AppendJsonText(text, out); }
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

void AppendJsonText(std::string_view text, std::string& out) {
    out.push_back('"');
    std::size_t run = 0;
    std::size_t position = 0;
    while (position < text.size()) {
        const auto byte = static_cast<unsigned char>(text[position]);
        if (IsPlain(byte)) {
            ++position;
            continue;
        }
        const Utf8Step step = NextUtf8(text.substr(position));
        if (byte >= 0x80 && step.kind == Utf8Step::Kind::kValid) {
            position += step.size;
            continue;
        }
        out.append(text.substr(run, position - run));
        if (byte < 0x80) {
            AppendEscape(byte, out);
        } else {
            out.append(kReplacement);
        }
        position += step.size;
        run = position;
    }
    out.append(text.substr(run));
    out.push_back('"');
}

void AppendJsonLine(WallTime now, std::string_view service, Level level, std::string_view event,
                    std::string_view message, std::span<const Field> fields, std::string& out) {
    const AppendValue append_value{out};
    const auto key = [&out](std::string_view name) {
        out.push_back(',');
        AppendJsonText(name, out);
        out.push_back(':');
    };
    out.append("{\"timestamp\":\"");
    AppendTimestamp(now, out);
    out.append("\",\"level\":\"").append(LevelName(level)).push_back('"');
    key("service");
    AppendJsonText(service, out);

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
    AppendJsonText(event, out);
    key("message");
    AppendJsonText(message, out);
    for (const Field& field : fields) {
        if (field.key == kRequestIdField) continue;
        key(field.key);
        std::visit(append_value, field.value);
    }
    out.push_back('}');
}

}  // namespace aim::telemetry
