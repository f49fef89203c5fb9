#include "services/data_api/database/rows.hpp"

#include <charconv>

#include <libpq-fe.h>

#include "services/data_api/database/array_literal.hpp"

namespace aim::data_api::database {

void Rows::Clear::operator()(pg_result* result) const { PQclear(result); }

Rows::Rows(pg_result* result) : result_(result) {}

int Rows::size() const { return result_ ? PQntuples(result_.get()) : 0; }

std::int64_t Rows::affected() const {
    if (!result_) return 0;
    const std::string_view text = PQcmdTuples(result_.get());
    std::int64_t count = 0;
    std::from_chars(text.data(), text.data() + text.size(), count);
    return count;
}

bool Rows::IsNull(int row, int column) const {
    return PQgetisnull(result_.get(), row, column) != 0;
}

std::string_view Rows::Text(int row, int column) const {
    return {PQgetvalue(result_.get(), row, column),
            static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::int64_t Rows::Int64(int row, int column) const {
    const std::string_view text = Text(row, column);
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

bool Rows::Bool(int row, int column) const { return Text(row, column) == "t"; }

Uuid Rows::Id(int row, int column) const { return Uuid::Parse(Text(row, column)).value_or(Uuid()); }

WallTime Rows::Time(int row, int column) const {
    return WallTime(std::chrono::microseconds(Int64(row, column)));
}

std::optional<std::string> Rows::OptionalText(int row, int column) const {
    if (IsNull(row, column)) return std::nullopt;
    return std::string(Text(row, column));
}

std::optional<std::int64_t> Rows::OptionalInt64(int row, int column) const {
    if (IsNull(row, column)) return std::nullopt;
    return Int64(row, column);
}

std::optional<Uuid> Rows::OptionalId(int row, int column) const {
    if (IsNull(row, column)) return std::nullopt;
    return Id(row, column);
}

std::optional<WallTime> Rows::OptionalTime(int row, int column) const {
    if (IsNull(row, column)) return std::nullopt;
    return Time(row, column);
}

std::optional<std::vector<std::string>> Rows::OptionalTexts(int row, int column) const {
    if (IsNull(row, column)) return std::nullopt;
    return ParseTextArray(Text(row, column));
}

}  // namespace aim::data_api::database
