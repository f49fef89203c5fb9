#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.hpp"
#include "core/base/uuid.hpp"

struct pg_result;

namespace aim::data_api::database {

// The rows of one statement's result, in text form. Owns them; views live as long as this object.
// The getters trust the statement's own column types: the statements cast to what is read here.
class Rows {
  public:
    Rows() = default;
    explicit Rows(pg_result* result);

    int size() const;
    bool empty() const { return size() == 0; }
    // Rows that an INSERT, UPDATE or DELETE touched.
    std::int64_t affected() const;

    bool IsNull(int row, int column) const;
    std::string_view Text(int row, int column) const;  // empty for NULL
    std::int64_t Int64(int row, int column) const;     // 0 for NULL
    bool Bool(int row, int column) const;
    Uuid Id(int row, int column) const;
    // Columns selected as microseconds since 1970.
    WallTime Time(int row, int column) const;

    std::optional<std::string> OptionalText(int row, int column) const;
    std::optional<std::int64_t> OptionalInt64(int row, int column) const;
    std::optional<Uuid> OptionalId(int row, int column) const;
    std::optional<WallTime> OptionalTime(int row, int column) const;
    // A text[] without NULL elements.
    std::optional<std::vector<std::string>> OptionalTexts(int row, int column) const;

  private:
    struct Clear {
        void operator()(pg_result* result) const;
    };
    std::unique_ptr<pg_result, Clear> result_;
};

}  // namespace aim::data_api::database
