#include "services/data_api/records/field_reader.hpp"

#include <cmath>

#include "core/base/time_format.hpp"
#include "services/data_api/records/text_repair.hpp"

namespace aim::data_api {
namespace {

constexpr std::int64_t kMostCount = 1'000'000'000'000'000;
constexpr double kMostMilliseconds = 366.0 * 24 * 3600 * 1000;

}  // namespace

json::Value FieldReader::Given(std::string_view key) const {
    const json::Value value = object_.Get(key);
    return value.IsNull() ? json::Value() : value;
}

void FieldReader::Fail(std::string_view key, std::string_view reason, std::string_view code) {
    if (error_) return;
    error_ =
        FailField(std::string(key), std::string(key) + " " + std::string(reason), std::string(code))
            .value();
}

void FieldReader::Require(std::string_view key, bool is_given) {
    if (!is_given) Fail(key, "is required");
}

std::optional<std::string> FieldReader::Text(std::string_view key, std::size_t most_characters) {
    const auto text = LongText(key);
    if (!text || text->empty()) return std::nullopt;
    return std::string(FirstCharacters(*text, most_characters));
}

std::optional<std::string_view> FieldReader::LongText(std::string_view key) {
    const json::Value value = Given(key);
    const auto text = value.AsString();
    if (value.exists() && !text) Fail(key, "must be a string");
    return text;
}

std::optional<std::int64_t> FieldReader::Count(std::string_view key) {
    const json::Value value = Given(key);
    const auto number = value.AsInt64();
    if (value.exists() && (!number || *number < 0 || *number > kMostCount)) {
        Fail(key, "must be an integer, 0 or more");
        return std::nullopt;
    }
    return number;
}

std::optional<std::int64_t> FieldReader::Integer(std::string_view key) {
    const json::Value value = Given(key);
    const auto number = value.AsInt64();
    if (value.exists() && !number) Fail(key, "must be an integer");
    return number;
}

std::optional<std::int64_t> FieldReader::Duration(std::string_view key) {
    const json::Value value = Given(key);
    const auto milliseconds = value.AsDouble();
    // Written so that a number that is not one is refused too.
    if (value.exists() &&
        !(milliseconds && *milliseconds >= 0 && *milliseconds <= kMostMilliseconds)) {
        Fail(key, "must be a number of milliseconds, 0 or more");
        return std::nullopt;
    }
    if (!milliseconds) return std::nullopt;
    return std::llround(*milliseconds * 1000);
}

std::optional<bool> FieldReader::Flag(std::string_view key) {
    const json::Value value = Given(key);
    const auto flag = value.AsBool();
    if (value.exists() && !flag) Fail(key, "must be true or false");
    return flag;
}

std::optional<Uuid> FieldReader::Id(std::string_view key) {
    const json::Value value = Given(key);
    if (!value.exists()) return std::nullopt;
    const auto id = Uuid::Parse(value.StringOr(""));
    if (!id) Fail(key, "must be a UUID", "invalid_id");
    return id;
}

std::optional<WallTime> FieldReader::Time(std::string_view key) {
    const json::Value value = Given(key);
    if (!value.exists()) return std::nullopt;
    const auto time = ParseRfc3339(value.StringOr(""));
    if (!time) Fail(key, "must be a time such as 2026-11-21T10:30:45.123Z");
    return time;
}

}  // namespace aim::data_api
