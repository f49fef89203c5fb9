// A plugin's own settings of a model row, read once when its provider is made.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "aim/sdk/json.hpp"
#include "aim/sdk/session.hpp"

namespace aim::native {

// Answers with the default for what is not given (or null). A value of the wrong type fails the
// call with the setting as `field`; the caller looks at call.Failed() at the end. Names that are
// not asked for are somebody else's and left alone.
class RowSettings final {
  public:
    RowSettings(const sdk::Call& call, const sdk::Config& config) : call_(call) {
        if (!document_.Parse(config.RowSettings()) || !document_.Root().IsObject()) {
            Refuse("settings", "a JSON object");
        }
    }

    std::int64_t Count(std::string_view name, std::int64_t least, std::int64_t most,
                       std::int64_t otherwise) const {
        const sdk::JsonValue value = Find(name);
        if (!value) {
            return otherwise;
        }
        const std::optional<std::int64_t> number = value.Integer();
        if (!number || *number < least || *number > most) {
            Refuse(name,
                   "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
            return otherwise;
        }
        return *number;
    }
    std::string Text(std::string_view name, std::string_view otherwise) const {
        const sdk::JsonValue value = Find(name);
        if (value && !value.IsString()) {
            Refuse(name, "a text");
        }
        return std::string(value.IsString() ? value.Text() : otherwise);
    }
    // The first choice is the default.
    std::size_t OneOf(std::string_view name,
                      std::initializer_list<std::string_view> choices) const {
        const sdk::JsonValue value = Find(name);
        if (!value) {
            return 0;
        }
        std::string expected;
        std::size_t position = 0;
        for (const std::string_view choice : choices) {
            if (value.IsString() && value.Text() == choice) {
                return position;
            }
            expected += (position++ == 0 ? "one of " : ", ") + std::string(choice);
        }
        Refuse(name, expected);
        return 0;
    }
    // The value's JSON text, empty when it is not given.
    std::string Json(std::string_view name, sdk::JsonType type) const {
        const sdk::JsonValue value = Find(name);
        if (value && value.Type() != type) {
            Refuse(name, type == sdk::JsonType::kArray ? "an array" : "an object");
            return {};
        }
        return std::string(value.Raw());
    }

  private:
    sdk::JsonValue Find(std::string_view name) const {
        const sdk::JsonValue value = document_.Root()[name];
        return value.IsNull() ? sdk::JsonValue() : value;
    }
    void Refuse(std::string_view name, const std::string& expected) const {
        if (!call_.Failed()) {
            const std::string message = "the setting " + std::string(name) + " must be " + expected;
            call_.Fail({sdk::ErrorKind::kInvalidRequest, message, "invalid_setting", name});
        }
    }

    const sdk::Call& call_;
    sdk::JsonDocument document_;
};

}  // namespace aim::native
