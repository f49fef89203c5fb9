// Writes JSON text piece by piece; the caller keeps the nesting right, commas come by themselves.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "aim/sdk/json.hpp"

namespace aim::native {

// Appends to a string that must outlive it.
class JsonWriter final {
  public:
    explicit JsonWriter(std::string& out) : out_(out) {}

    JsonWriter& BeginObject() { return Open('{'); }
    JsonWriter& EndObject() { return Close('}'); }
    JsonWriter& BeginArray() { return Open('['); }
    JsonWriter& EndArray() { return Close(']'); }

    JsonWriter& Key(std::string_view name) {
        Separate();
        sdk::AppendJsonString(out_, name);
        out_.push_back(':');
        comma_ = false;
        return *this;
    }
    JsonWriter& Text(std::string_view text) {
        Separate();
        sdk::AppendJsonString(out_, text);
        return *this;
    }
    // One valid JSON value, or one member of an object, as it stands in another text.
    JsonWriter& Raw(std::string_view json) {
        Separate();
        out_ += json;
        return *this;
    }
    JsonWriter& Number(std::int64_t value) { return Raw(std::to_string(value)); }
    JsonWriter& Bool(bool value) { return Raw(value ? "true" : "false"); }

  private:
    JsonWriter& Open(char bracket) {
        Separate();
        out_.push_back(bracket);
        comma_ = false;
        return *this;
    }
    JsonWriter& Close(char bracket) {
        out_.push_back(bracket);
        comma_ = true;
        return *this;
    }
    // Before every value; behind it the next one needs a comma, until a bracket or key resets that.
    void Separate() {
        if (comma_) {
            out_.push_back(',');
        }
        comma_ = true;
    }

    std::string& out_;
    bool comma_ = false;
};

}  // namespace aim::native
