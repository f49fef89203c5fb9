#include "core/json/scanner.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "core/base/json_string.hpp"
#include "core/base/utf8.hpp"

namespace aim::json {
namespace {

// Up to so many keys are compared with each other directly, without allocating.
constexpr std::size_t kFewKeys = 24;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

Unexpected InvalidJson(std::string_view what, std::size_t offset) {
    Error error;
    error.kind = ErrorKind::kInvalidRequest;
    error.code = "invalid_json";
    error.message =
        "JSON is not valid: " + std::string(what) + " at byte " + std::to_string(offset);
    return Unexpected(std::move(error));
}

Scanner::Scanner(std::string_view text, const Limits& limits) : text_(text), limits_(limits) {
    limits_.max_depth = std::min(limits_.max_depth, kMostDepth);
}

Unexpected Scanner::Failure() const { return InvalidJson(failure_, failure_offset_); }

bool Scanner::Fail(const char* what, std::size_t offset) {
    failure_ = what;
    failure_offset_ = offset;
    return false;
}

void Scanner::SkipSpace() {
    while (position_ < text_.size()) {
        const char c = text_[position_];
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t') return;
        ++position_;
    }
}

bool Scanner::Push(bool is_object) {
    if (depth_ == limits_.max_depth) return Fail("nesting is too deep", position_);
    is_object_[depth_++] = is_object;
    ++position_;
    SkipSpace();
    return true;
}

bool Scanner::Scan(std::vector<Member>* members) {
    std::vector<Member> own;  // where nobody wants them, they may still have to differ
    if (members == nullptr && limits_.refuse_duplicate_keys) members = &own;
    members_ = members;
    if (members_ != nullptr) members_->clear();
    Next next = Next::kValue;
    while (next != Next::kEnd) {
        next = next == Next::kValue ? BeginValue() : AfterValue();
        if (next == Next::kFailed) return false;
    }
    SkipSpace();
    if (position_ != text_.size()) return Fail("unexpected bytes after the value", position_);
    if (limits_.refuse_duplicate_keys && !KeysAreUnique()) {
        failure_ = "a key appears twice";
        return false;
    }
    return true;
}

// A scalar is complete at once; a container is entered, unless it is empty.
Scanner::Next Scanner::BeginValue() {
    const auto after = [](bool valid) { return valid ? Next::kAfterValue : Next::kFailed; };
    SkipSpace();
    if (position_ == text_.size()) return after(Fail("unexpected end", position_));
    if (InRootObject()) value_begin_ = position_;
    const char c = text_[position_];
    bool has_escapes = false;
    switch (c) {
        case '{':
        case '[':
            if (!Push(c == '{')) return Next::kFailed;
            if (position_ < text_.size() && text_[position_] == (c == '{' ? '}' : ']')) {
                ++position_;
                --depth_;
                return Next::kAfterValue;
            }
            return c == '[' || ReadKey() ? Next::kValue : Next::kFailed;
        case '"':
            return after(ReadString(has_escapes));
        case 't':
            return after(ReadLiteral("true"));
        case 'f':
            return after(ReadLiteral("false"));
        case 'n':
            return after(ReadLiteral("null"));
        default:
            if (c == '-' || IsDigit(c)) return after(ReadNumber());
            return after(Fail(c == '\0' ? "NUL byte" : "unexpected character", position_));
    }
}

// Behind a complete value: the end, a comma (and the next key) or a closing bracket, which
// completes the value around.
Scanner::Next Scanner::AfterValue() {
    if (members_ != nullptr && InRootObject()) {
        Member& member = members_->back();
        member.end = position_;
        member.value = text_.substr(value_begin_, position_ - value_begin_);
    }
    if (depth_ == 0) return Next::kEnd;
    SkipSpace();
    const bool in_object = is_object_[depth_ - 1];
    const char c = position_ < text_.size() ? text_[position_] : '\0';
    if (c == (in_object ? '}' : ']')) {
        ++position_;
        --depth_;
        return Next::kAfterValue;
    }
    if (c != ',') {
        const char* what = in_object ? "expected , or }" : "expected , or ]";
        Fail(position_ == text_.size() ? "unexpected end" : what, position_);
        return Next::kFailed;
    }
    ++position_;
    if (!in_object) return Next::kValue;
    SkipSpace();
    return ReadKey() ? Next::kValue : Next::kFailed;
}

bool Scanner::ReadKey() {
    if (position_ == text_.size()) return Fail("unexpected end", position_);
    if (text_[position_] != '"') return Fail("expected a key in quotes", position_);
    const std::size_t begin = position_;
    bool has_escapes = false;
    if (!ReadString(has_escapes)) return false;
    if (members_ != nullptr && depth_ == 1) {
        Member& member = members_->emplace_back();
        member.raw_key = text_.substr(begin + 1, position_ - begin - 2);
        member.key_has_escapes = has_escapes;
        member.begin = begin;
    }
    SkipSpace();
    if (position_ == text_.size()) return Fail("unexpected end", position_);
    if (text_[position_] != ':') return Fail("expected :", position_);
    ++position_;
    return true;
}

bool Scanner::ReadString(bool& has_escapes) {
    ++position_;
    for (;;) {
        position_ = EndOfPlainJson(text_, position_);
        if (position_ == text_.size()) return Fail("unexpected end inside a string", position_);
        const auto byte = static_cast<unsigned char>(text_[position_]);
        if (byte == '"') {
            ++position_;
            return true;
        }
        if (byte == '\\') {
            has_escapes = true;
            if (!ReadEscape()) return false;
        } else if (byte < 0x20) {
            return Fail(byte == 0 ? "NUL byte" : "control character inside a string", position_);
        } else {
            const Utf8Step step = NextUtf8(text_.substr(position_));
            if (step.kind != Utf8Step::Kind::kValid) return Fail("invalid UTF-8", position_);
            position_ += step.size;
        }
    }
}

bool Scanner::ReadEscape() {
    const std::size_t begin = position_;
    if (position_ + 1 >= text_.size()) return Fail("unexpected end inside a string", text_.size());
    const char c = text_[position_ + 1];
    position_ += 2;
    if (c != 'u') {
        if (std::string_view("\"\\/bfnrt").find(c) == std::string_view::npos)
            return Fail("unknown escape", begin);
        return true;
    }
    unsigned unit = 0;
    if (!ReadHex4(unit)) return Fail("broken \\u escape", begin);
    if (unit >= 0xDC00 && unit <= 0xDFFF) return Fail("lone surrogate", begin);
    if (unit < 0xD800 || unit > 0xDBFF) return true;
    unsigned low = 0;
    if (text_.substr(position_, 2) != "\\u") return Fail("lone surrogate", begin);
    position_ += 2;
    if (!ReadHex4(low)) return Fail("broken \\u escape", position_ - 2);
    if (low < 0xDC00 || low > 0xDFFF) return Fail("lone surrogate", begin);
    return true;
}

bool Scanner::ReadHex4(unsigned& unit) {
    if (text_.size() - position_ < 4) return false;
    for (std::size_t i = 0; i < 4; ++i) {
        const char c = text_[position_ + i];
        unsigned digit = 0;
        if (IsDigit(c)) {
            digit = static_cast<unsigned>(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            digit = static_cast<unsigned>(c - 'a' + 10);
        } else if (c >= 'A' && c <= 'F') {
            digit = static_cast<unsigned>(c - 'A' + 10);
        } else {
            return false;
        }
        unit = unit * 16 + digit;
    }
    position_ += 4;
    return true;
}

bool Scanner::ReadDigits() {
    const std::size_t begin = position_;
    while (position_ < text_.size() && IsDigit(text_[position_])) ++position_;
    return position_ > begin || Fail("broken number", position_);
}

bool Scanner::ReadNumber() {
    if (text_[position_] == '-') ++position_;
    if (position_ < text_.size() && text_[position_] == '0') {
        ++position_;  // nothing but a fraction or an exponent may follow a leading zero
    } else if (!ReadDigits()) {
        return false;
    }
    if (position_ < text_.size() && text_[position_] == '.') {
        ++position_;
        if (!ReadDigits()) return false;
    }
    if (position_ < text_.size() && (text_[position_] == 'e' || text_[position_] == 'E')) {
        ++position_;
        if (position_ < text_.size() && (text_[position_] == '+' || text_[position_] == '-'))
            ++position_;
        if (!ReadDigits()) return false;
    }
    return true;
}

bool Scanner::ReadLiteral(std::string_view literal) {
    if (text_.substr(position_, literal.size()) != literal)
        return Fail("unexpected character", position_);
    position_ += literal.size();
    return true;
}

bool Scanner::KeysAreUnique() const {
    const std::vector<Member>& members = *members_;
    const bool any_escapes = std::any_of(members.begin(), members.end(),
                                         [](const Member& m) { return m.key_has_escapes; });
    if (members.size() <= kFewKeys && !any_escapes) {
        for (std::size_t i = 1; i < members.size(); ++i) {
            for (std::size_t k = 0; k < i; ++k) {
                if (members[i].raw_key != members[k].raw_key) continue;
                failure_offset_ = members[i].begin;
                return false;
            }
        }
        return true;
    }
    std::vector<std::pair<std::string, std::size_t>> keys;
    keys.reserve(members.size());
    for (const Member& member : members) keys.emplace_back(member.Key(), member.begin);
    std::sort(keys.begin(), keys.end());
    const auto twin = std::adjacent_find(
        keys.begin(), keys.end(), [](const auto& a, const auto& b) { return a.first == b.first; });
    if (twin == keys.end()) return true;
    failure_offset_ = std::next(twin)->second;
    return false;
}

}  // namespace aim::json
