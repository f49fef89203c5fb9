#include "core/base/json_string.hpp"

#include <cstdint>

#include "core/base/utf8.hpp"
#include "core/base/word_scan.hpp"

namespace aim {
namespace {

constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

bool IsPlain(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

std::uint64_t Unplain(std::uint64_t bytes) {
    return word::Equal(bytes, '"') | word::Equal(bytes, '\\') | word::Below(bytes, ' ') | bytes;
}

// Without a branch a byte, so that the compiler can take all of them at once.
constexpr std::size_t kBlock = 32;
bool BlockIsPlain(const char* at) {
    bool plain = true;
    for (std::size_t i = 0; i < kBlock; ++i) {
        // As a signed number everything from 0x80 on is below the blank, too.
        plain &= (static_cast<signed char>(at[i]) >= ' ') & (at[i] != '"') & (at[i] != '\\');
    }
    return plain;
}

bool IsAllPlain(std::string_view text) {
    for (; text.size() >= kBlock; text.remove_prefix(kBlock)) {
        if (!BlockIsPlain(text.data())) return false;
    }
    return !AnyByte(text, Unplain);
}

void AppendEscaped(unsigned char byte, std::string& out) {
    static constexpr char kHex[] = "0123456789abcdef";
    static constexpr std::string_view kSpecial = "\"\\\b\f\n\r\t";
    static constexpr std::string_view kLetter = "\"\\bfnrt";
    const std::size_t special = kSpecial.find(static_cast<char>(byte));
    if (special != std::string_view::npos) {
        const char escape[] = {'\\', kLetter[special]};
        out.append(escape, sizeof escape);
        return;
    }
    const char escape[] = {'\\', 'u', '0', '0', kHex[byte >> 4], kHex[byte & 15]};
    out.append(escape, sizeof escape);
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
                out.append(kReplacementCharacter);
            }
            run = position + step.size;
        }
        position = EndOfPlainJson(text, position + step.size);
    }
    out.append(text.substr(run));
}

}  // namespace

std::size_t EndOfPlainJson(std::string_view text, std::size_t position) {
    // Behind an escape or a character that is no ASCII there is often another one.
    if (position < text.size() && !IsPlain(text[position])) return position;
    while (position + kBlock <= text.size() && BlockIsPlain(text.data() + position))
        position += kBlock;
    while (position + 8 <= text.size()) {
        if ((Unplain(word::Load(text.data() + position)) & word::kHighBits) != 0) break;
        position += 8;
    }
    while (position < text.size() && IsPlain(text[position])) ++position;
    return position;
}

void AppendJsonString(std::string_view text, std::string& out) {
    out.push_back('"');
    if (IsAllPlain(text)) {
        out.append(text);
    } else {
        AppendUnplain(text, EndOfPlainJson(text, 0), out);
    }
    out.push_back('"');
}

}  // namespace aim
