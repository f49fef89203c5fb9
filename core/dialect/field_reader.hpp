#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/result.hpp"
#include "core/json/value.hpp"

namespace aim::dialect {

// Takes optional fields out of an object of a caller: null counts as absent, a wrong type or range
// becomes the error of the first field that has one. After all fields were asked for, error() says
// whether the object is good.
class FieldReader {
  public:
    explicit FieldReader(json::Value object) : object_(object) {}

    std::optional<std::string> Text(std::string_view name) {
        const json::Value value = Present(name);
        if (!value.exists()) return std::nullopt;
        if (const auto text = value.AsString()) return std::string(*text);
        return Wrong(name, "must be a string");
    }

    std::optional<bool> Bool(std::string_view name) {
        const json::Value value = Present(name);
        if (!value.exists()) return std::nullopt;
        if (const auto flag = value.AsBool()) return flag;
        return Wrong(name, "must be true or false");
    }

    std::optional<std::int64_t> Integer(std::string_view name, std::int64_t least,
                                        std::int64_t most) {
        const json::Value value = Present(name);
        if (!value.exists()) return std::nullopt;
        const auto number = value.AsInt64();
        if (number && *number >= least && *number <= most) return number;
        return Wrong(name, "must be an integer from " + std::to_string(least) + " to " +
                               std::to_string(most));
    }

    std::optional<double> Number(std::string_view name, double least, double most) {
        const json::Value value = Present(name);
        if (!value.exists()) return std::nullopt;
        const auto number = value.AsDouble();
        if (number && *number >= least && *number <= most) return number;
        return Wrong(name, "must be a number from " + Short(least) + " to " + Short(most));
    }

    const std::optional<Error>& error() const { return error_; }

  private:
    json::Value Present(std::string_view name) const {
        const json::Value value = object_.Get(name);
        return value.exists() && value.IsNull() ? json::Value() : value;
    }
    static std::string Short(double value) {
        std::string text = std::to_string(value);
        text.erase(text.find_last_not_of('0') + 1);
        if (text.ends_with('.')) text.pop_back();
        return text;
    }
    std::nullopt_t Wrong(std::string_view name, const std::string& what) {
        if (!error_)
            error_ =
                FailField(std::string(name), "The field '" + std::string(name) + "' " + what + ".")
                    .value();
        return std::nullopt;
    }

    json::Value object_;
    std::optional<Error> error_;
};

}  // namespace aim::dialect
