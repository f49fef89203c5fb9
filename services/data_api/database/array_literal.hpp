#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aim::data_api::database {

// Builds the text form of a one-dimensional PostgreSQL array, element by element:
// {"a","b\"c",NULL,12}.
class ArrayLiteral {
  public:
    void AddText(std::string_view text);
    void AddNumber(std::int64_t value);
    void AddBool(bool value);
    void AddNull();
    void AddOptionalText(const std::optional<std::string>& text) {
        text ? AddText(*text) : AddNull();
    }
    void AddOptionalNumber(const std::optional<std::int64_t>& value) {
        value ? AddNumber(*value) : AddNull();
    }

    // The finished literal; the builder is then empty.
    std::string Take();

  private:
    void Separate();
    std::string text_ = "{";
};

// The elements of such a literal as the server writes it; NULL elements are left out.
std::vector<std::string> ParseTextArray(std::string_view literal);

}  // namespace aim::data_api::database
