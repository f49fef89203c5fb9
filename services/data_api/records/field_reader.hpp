#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.hpp"
#include "core/base/result.hpp"
#include "core/base/uuid.hpp"
#include "core/json/value.hpp"

namespace aim::data_api {

// The longest id that is a text of its caller's own, and no UUID.
inline constexpr std::size_t kIdCharacters = 200;

// Reads the members of one JSON object and remembers the first thing that is wrong; read
// everything, then ask error(). A member that is null counts as not given.
class FieldReader {
  public:
    explicit FieldReader(json::Value object) : object_(object) {}

    // Cut to so many characters: no record is lost over a long name. An empty text counts as not
    // given.
    std::optional<std::string> Text(std::string_view key, std::size_t most_characters);
    // A text of any length; the caller cuts it.
    std::optional<std::string_view> LongText(std::string_view key);
    std::optional<std::int64_t> Count(std::string_view key);  // an integer, 0 or more, below 10^15
    std::optional<std::int64_t> Integer(std::string_view key);
    // Milliseconds, fractions allowed, as microseconds; 0 or more, at most a year.
    std::optional<std::int64_t> Duration(std::string_view key);
    std::optional<bool> Flag(std::string_view key);
    std::optional<Uuid> Id(std::string_view key);
    std::optional<WallTime> Time(std::string_view key);

    void Require(std::string_view key, bool is_given);
    void Fail(std::string_view key, std::string_view reason,
              std::string_view code = "invalid_request");
    json::Value Raw(std::string_view key) const { return object_.Get(key); }

    // Fails for a member that is not in the list.
    template <typename List>
    void RefuseOthers(const List& known) {
        for (const auto& [key, value] : object_) {
            bool found = false;
            for (const std::string_view name : known) found = found || name == key;
            if (!found) Fail(key, "is not a field of this record");
        }
    }

    const std::optional<Error>& error() const { return error_; }

  private:
    json::Value Given(std::string_view key) const;

    json::Value object_;
    std::optional<Error> error_;
};

}  // namespace aim::data_api
