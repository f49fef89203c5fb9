#include "core/json/writer.hpp"

#include <charconv>
#include <cmath>

namespace aim::json {
namespace {

template <typename T>
void AppendNumber(T value, std::string& out) {
    char buffer[40];
    const std::to_chars_result result = std::to_chars(buffer, buffer + sizeof buffer, value);
    out.append(buffer, result.ptr);
}

}  // namespace

void Writer::Separate() {
    if (needs_comma_) out_.push_back(',');
    needs_comma_ = true;
}

Writer& Writer::Open(char bracket) {
    Separate();
    out_.push_back(bracket);
    needs_comma_ = false;
    return *this;
}

Writer& Writer::Close(char bracket) {
    out_.push_back(bracket);
    needs_comma_ = true;
    return *this;
}

Writer& Writer::Key(std::string_view key) {
    Separate();
    AppendJsonString(key, out_);
    out_.push_back(':');
    needs_comma_ = false;
    return *this;
}

Writer& Writer::RawKey(std::string_view text) {
    out_.append(needs_comma_ ? text : text.substr(1));
    needs_comma_ = false;
    return *this;
}

Writer& Writer::String(std::string_view text) {
    Separate();
    AppendJsonString(text, out_);
    return *this;
}

Writer& Writer::Int(std::int64_t value) {
    Separate();
    AppendNumber(value, out_);
    return *this;
}

Writer& Writer::UInt(std::uint64_t value) {
    Separate();
    AppendNumber(value, out_);
    return *this;
}

Writer& Writer::Double(double value) {
    if (!std::isfinite(value)) return Null();
    Separate();
    if (value == 0 && std::signbit(value)) {
        out_ += "-0.0";  // a bare -0 would be read back as the integer 0
    } else {
        AppendNumber(value, out_);
    }
    return *this;
}

Writer& Writer::Decimal(double value) {
    // Beyond this a double has no hundredths.
    if (!(std::fabs(value) < 1e13)) return Double(value);
    Separate();
    std::int64_t hundredths = std::llround(value * 100.0);
    if (hundredths < 0) {
        out_.push_back('-');
        hundredths = -hundredths;
    }
    AppendNumber(hundredths / 100, out_);
    const auto rest = static_cast<int>(hundredths % 100);
    if (rest == 0) return *this;
    out_.push_back('.');
    out_.push_back(static_cast<char>('0' + rest / 10));
    if (rest % 10 != 0) out_.push_back(static_cast<char>('0' + rest % 10));
    return *this;
}

Writer& Writer::Bool(bool value) {
    Separate();
    out_.append(value ? "true" : "false");
    return *this;
}

Writer& Writer::Null() {
    Separate();
    out_.append("null");
    return *this;
}

Writer& Writer::Raw(std::string_view json) {
    Separate();
    out_.append(json);
    return *this;
}

}  // namespace aim::json
