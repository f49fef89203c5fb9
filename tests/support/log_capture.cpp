#include "tests/support/log_capture.hpp"

namespace aim::testing {
namespace {

std::string AsText(const telemetry::Field::Value& value) {
    struct Visitor {
        std::string operator()(std::string_view text) const { return std::string(text); }
        std::string operator()(bool flag) const { return flag ? "true" : "false"; }
        std::string operator()(std::int64_t number) const { return std::to_string(number); }
        std::string operator()(std::uint64_t number) const { return std::to_string(number); }
        std::string operator()(double number) const { return std::to_string(number); }
    };
    return std::visit(Visitor{}, value);
}

}  // namespace

std::vector<CapturedLog> LogCapture::records() const {
    const std::lock_guard lock(mutex_);
    return records_;
}

std::size_t LogCapture::Count(std::string_view event) const {
    std::size_t count = 0;
    for (const CapturedLog& record : records()) count += record.event == event ? 1 : 0;
    return count;
}

CapturedLog LogCapture::Last(std::string_view event) const {
    const std::vector<CapturedLog> all = records();
    for (auto record = all.rbegin(); record != all.rend(); ++record) {
        if (record->event == event) return *record;
    }
    return {};
}

bool LogCapture::Contains(std::string_view text) const {
    for (const CapturedLog& record : records()) {
        if (record.event.find(text) != std::string::npos ||
            record.message.find(text) != std::string::npos)
            return true;
        for (const auto& [key, value] : record.fields) {
            if (key.find(text) != std::string::npos || value.find(text) != std::string::npos)
                return true;
        }
    }
    return false;
}

void LogCapture::Write(telemetry::Level level, std::string_view event, std::string_view message,
                       std::span<const telemetry::Field> fields) {
    CapturedLog record{level, std::string(event), std::string(message), {}};
    for (const telemetry::Field& field : fields)
        record.fields.emplace(field.key, AsText(field.value));
    const std::lock_guard lock(mutex_);
    records_.push_back(std::move(record));
}

}  // namespace aim::testing
