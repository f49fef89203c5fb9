#pragma once

#include <array>
#include <cassert>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "core/base/json_string.hpp"

namespace aim::json {

// Appends `text` as a JSON string with its quotes: control characters escaped, malformed UTF-8
// replaced by U+FFFD.
inline void AppendQuoted(std::string_view text, std::string& out) { AppendJsonString(text, out); }

template <typename T>
inline constexpr bool kIsCharArray = false;
template <std::size_t N>
inline constexpr bool kIsCharArray<std::array<char, N>> = true;

// Writes JSON by appending to a string that the caller owns; commas come by themselves. It
// allocates nothing beside the string. The caller keeps the order right (a key before each member's
// value, every begin ended): this is not checked.
class Writer {
  public:
    explicit Writer(std::string& out) : out_(out) {}

    Writer& BeginObject() { return Open('{'); }
    Writer& EndObject() { return Close('}'); }
    Writer& BeginArray() { return Open('['); }
    Writer& EndArray() { return Close(']'); }
    Writer& Key(std::string_view key);
    // A literal, which has to be plain ASCII; keys are most of what is written.
    template <std::size_t N>
    Writer& Key(const char (&literal)[N]) {
        constexpr std::size_t kSize = N - 1;
        assert(EndOfPlainJson({literal, kSize}, 0) == kSize);
        std::array<char, kSize + 4> text;
        text[0] = ',';
        text[1] = '"';
        std::memcpy(text.data() + 2, literal, kSize);
        text[kSize + 2] = '"';
        text[kSize + 3] = ':';
        return RawKey({text.data(), text.size()});
    }

    Writer& String(std::string_view text);
    Writer& Int(std::int64_t value);
    Writer& UInt(std::uint64_t value);
    Writer& Double(
        double value);  // shortest text that reads back the same; NaN and infinities become null
    Writer& Decimal(
        double value);  // at most two decimals, rounded half away from zero: 95.5, 100, 0.07
    Writer& Bool(bool value);
    Writer& Null();
    Writer& Raw(std::string_view json);  // one value, known to be valid JSON

    // Any of the above by type; an empty optional is null.
    template <typename T>
    Writer& Put(const T& value) {
        if constexpr (std::is_same_v<T, bool>) {
            return Bool(value);
        } else if constexpr (std::is_same_v<T, std::nullptr_t> ||
                             std::is_same_v<T, std::nullopt_t>) {
            return Null();
        } else if constexpr (std::signed_integral<T>) {
            return Int(value);
        } else if constexpr (std::unsigned_integral<T>) {
            return UInt(value);
        } else if constexpr (std::floating_point<T>) {
            return Double(value);
        } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
            return String(value);
        } else if constexpr (kIsCharArray<T>) {
            return String({value.data(), value.size()});
        } else {
            return value.has_value() ? Put(*value) : Null();
        }
    }

    // Key and value in one.
    template <typename T>
    Writer& Field(std::string_view key, const T& value) {
        return Key(key).Put(value);
    }
    template <std::size_t N, typename T>
    Writer& Field(const char (&literal)[N], const T& value) {
        return Key(literal).Put(value);
    }

  private:
    Writer& Open(char bracket);
    Writer& Close(char bracket);
    void Separate();
    Writer& RawKey(std::string_view text);  // `,"key":`

    std::string& out_;
    bool needs_comma_ = false;
};

}  // namespace aim::json
