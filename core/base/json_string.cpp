#include "core/base/json_string.hpp"

#include <cstdint>
#include <cstring>

#include "core/base/utf8.hpp"

namespace aim {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

bool IsPlain(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
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

// Behind the first byte of `text` that is not plain.
void AppendUnplain(std::string_view text, std::size_t position, std::string& out) {
    std::size_t run = 0;  // from here on everything is copied as it is
    while (position < text.size()) {
        const auto byte = static_cast<unsigned char>(text[position]);
        const Utf8Step step = NextUtf8(text.substr(position));
        if (byte < 0x80 || step.kind != Utf8Step::Kind::kValid) {
            out.append(text.substr(run, position - run));
            if (byte < 0x80) {
                AppendEscaped(byte, out);
            } else {
                out.append(kReplacement);
            }
            run = position + step.size;
        }
        position = EndOfPlainJson(text, position + step.size);
    }
    out.append(text.substr(run));
}

}  // namespace

// Eight bytes a step.
std::size_t EndOfPlainJson(std::string_view text, std::size_t position) {
    constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
    constexpr std::uint64_t kHighBits = 0x8080808080808080ULL;
    while (position + 8 <= text.size()) {
        std::uint64_t word;
        std::memcpy(&word, text.data() + position, sizeof word);
        const std::uint64_t quote = word ^ (kOnes * '"');
        const std::uint64_t backslash = word ^ (kOnes * '\\');
        const std::uint64_t hits = ((quote - kOnes) & ~quote) | ((backslash - kOnes) & ~backslash) |
                                   ((word - kOnes * 0x20) & ~word) | word;
        if ((hits & kHighBits) != 0) break;
        position += 8;
    }
    while (position < text.size() && IsPlain(text[position])) ++position;
    return position;
}

void AppendJsonString(std::string_view text, std::string& out) {
    out.push_back('"');
    const std::size_t plain = EndOfPlainJson(text, 0);
    if (plain == text.size()) {
        out.append(text);
    } else {
        AppendUnplain(text, plain, out);
    }
    out.push_back('"');
}

}  // namespace aim
