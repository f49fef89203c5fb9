#include "core/json/writer.hpp"

#include <charconv>
#include <cmath>

#include "core/base/utf8.hpp"
#include "core/json/plain_run.hpp"

namespace aim::json {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

template <typename T>
void AppendNumber(T value, std::string& out) {
    char buffer[40];
    const std::to_chars_result result = std::to_chars(buffer, buffer + sizeof buffer, value);
    out.append(buffer, result.ptr);
}

void AppendEscaped(unsigned char byte, std::string& out) {
    static constexpr char kHex[] = "0123456789abcdef";
    static constexpr std::string_view kSpecial = "\"\\\b\f\n\r\t";
    static constexpr std::string_view kLetter = "\"\\bfnrt";
    out.push_back('\\');
    const std::size_t special = kSpecial.find(static_cast<char>(byte));
    if (special != std::string_view::npos) {
        out.push_back(kLetter[special]);
        return;
    }
    out.append("u00");
    out.push_back(kHex[byte >> 4]);
    out.push_back(kHex[byte & 15]);
}

}  // namespace

void AppendQuoted(std::string_view text, std::string& out) {
    out.push_back('"');
    std::size_t run = 0;  // from here on everything is copied as it is
    std::size_t position = 0;
    for (;;) {
        position = EndOfPlainRun(text, position);
        if (position == text.size()) break;
        const auto byte = static_cast<unsigned char>(text[position]);
        const Utf8Step step = NextUtf8(text.substr(position));
        if (byte >= 0x80 && step.kind == Utf8Step::Kind::kValid) {
            position += step.size;
            continue;
        }
        out.append(text.substr(run, position - run));
        if (byte < 0x80) {
            AppendEscaped(byte, out);
        } else {
            out.append(kReplacement);
        }
        position += step.size;
        run = position;
    }
    out.append(text.substr(run));
    out.push_back('"');
}

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
    AppendQuoted(key, out_);
    out_.push_back(':');
    needs_comma_ = false;
    return *this;
}

Writer& Writer::String(std::string_view text) {
    Separate();
    AppendQuoted(text, out_);
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
