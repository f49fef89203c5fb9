#pragma once

#include <bitset>
#include <cstddef>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/json/scan.hpp"

namespace aim::json {

// Walks a text once and checks it against RFC 8259 and the limits, without recursion and without
// building anything: nothing that a client sends reaches a recursive parser before its depth is
// known. Internal to core/json.
class Scanner {
  public:
    Scanner(std::string_view text, const Limits& limits);

    // `members`: where the root object's members go; may be null.
    bool Scan(std::vector<Member>* members);

    // After a failed scan.
    Unexpected Failure() const;

  private:
    static constexpr std::size_t kMostDepth = 1024;

    enum class Next { kFailed, kValue, kAfterValue, kEnd };

    bool Fail(const char* what, std::size_t offset);
    void SkipSpace();
    bool Push(bool is_object);
    bool InRootObject() const { return depth_ == 1 && is_object_[0]; }
    // Each reads what stands at position_, which it moves behind it.
    Next BeginValue();
    Next AfterValue();
    bool ReadKey();
    bool ReadString(bool& has_escapes);
    bool ReadEscape();
    bool ReadHex4(unsigned& unit);
    bool ReadNumber();
    bool ReadDigits();
    bool ReadLiteral(std::string_view literal);
    bool KeysAreUnique() const;

    std::string_view text_;
    Limits limits_;
    std::vector<Member>* members_ = nullptr;
    std::size_t position_ = 0;
    std::size_t depth_ = 0;
    std::size_t value_begin_ = 0;
    std::bitset<kMostDepth> is_object_;
    const char* failure_ = "";
    mutable std::size_t failure_offset_ = 0;
};

// "JSON is not valid: <what> at byte <offset>", kInvalidRequest, code invalid_json.
Unexpected InvalidJson(std::string_view what, std::size_t offset);

}  // namespace aim::json
