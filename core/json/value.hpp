#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace aim::json {

// A read-only look at one value of a Document: a pointer, copied freely, valid as long as the
// document. A view may be absent (a member that is not there); everything can be asked of an absent
// one, so that lookups chain: document.root().Get("usage").Get("prompt_tokens").AsInt64(). Nothing
// here throws.
class Value {
  public:
    constexpr Value() = default;

    bool exists() const { return node_ != nullptr; }
    bool IsNull() const;  // present and null
    bool IsBool() const;
    bool IsNumber() const;
    bool IsString() const;
    bool IsArray() const;
    bool IsObject() const;

    // nullopt when the value is absent or of another type; nothing is converted.
    std::optional<bool> AsBool() const;
    std::optional<std::int64_t> AsInt64()
        const;  // also 500.0: a number that is a whole one and fits
    std::optional<double> AsDouble() const;
    std::optional<std::string_view> AsString() const;  // decoded, may hold U+0000

    bool BoolOr(bool otherwise) const { return AsBool().value_or(otherwise); }
    std::int64_t Int64Or(std::int64_t otherwise) const { return AsInt64().value_or(otherwise); }
    double DoubleOr(double otherwise) const { return AsDouble().value_or(otherwise); }
    std::string_view StringOr(std::string_view otherwise) const {
        return AsString().value_or(otherwise);
    }

    // The member of that name; absent when there is none or this is no object. Linear in the
    // members before it.
    Value Get(std::string_view key) const;

    // Elements of an array or members of an object; 0 for everything else.
    std::size_t size() const;
    // The element or the member's value at a position; absent when out of range.
    Value At(std::size_t position) const;
    // The member's key at a position; empty when this is no object or out of range.
    std::string_view KeyAt(std::size_t position) const;

    struct Entry;
    class Iterator;
    // Over an object's members or an array's elements (their keys are empty): for (const auto&
    // [key, value] : view).
    Iterator begin() const;
    Iterator end() const;

    // The value as JSON text, without white space; "null" when absent.
    std::string ToJson() const;
    void AppendJson(std::string& out) const;

  private:
    friend class Document;
    explicit constexpr Value(const void* node) : node_(node) {}

    const void* node_ = nullptr;
};

struct Value::Entry {
    std::string_view key;
    Value value;
};

class Value::Iterator {
  public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Entry;
    using difference_type = std::ptrdiff_t;
    using pointer = const Entry*;
    using reference = Entry;

    Iterator(Value owner, std::size_t position) : owner_(owner), position_(position) {}
    Entry operator*() const { return Entry{owner_.KeyAt(position_), owner_.At(position_)}; }
    Iterator& operator++() {
        ++position_;
        return *this;
    }
    Iterator operator++(int) { return {owner_, position_++}; }
    friend bool operator==(const Iterator& a, const Iterator& b) {
        return a.position_ == b.position_;
    }

  private:
    Value owner_;
    std::size_t position_;
};

inline Value::Iterator Value::begin() const { return {*this, 0}; }
inline Value::Iterator Value::end() const { return {*this, size()}; }

}  // namespace aim::json
