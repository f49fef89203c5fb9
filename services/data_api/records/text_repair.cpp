#include "services/data_api/records/text_repair.hpp"

#include <optional>

namespace aim::data_api {
namespace {

// The value of the escape \uXXXX at `at`; nullopt when there is none.
std::optional<unsigned> EscapeAt(std::string_view json, std::size_t at) {
    if (at + 6 > json.size() || json[at] != '\\' || json[at + 1] != 'u') return std::nullopt;
    unsigned value = 0;
    for (std::size_t i = at + 2; i < at + 6; ++i) {
        const char c = json[i];
        unsigned digit = 0;
        if (c >= '0' && c <= '9') {
            digit = static_cast<unsigned>(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            digit = static_cast<unsigned>(c - 'a') + 10;
        } else if (c >= 'A' && c <= 'F') {
            digit = static_cast<unsigned>(c - 'A') + 10;
        } else {
            return std::nullopt;
        }
        value = value * 16 + digit;
    }
    return value;
}

bool IsHighSurrogate(unsigned value) { return value >= 0xD800 && value <= 0xDBFF; }
bool IsLowSurrogate(unsigned value) { return value >= 0xDC00 && value <= 0xDFFF; }
bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

}  // namespace

void RepairEscapes(std::string& json) {
    for (std::size_t at = json.find('\\'); at != std::string::npos; at = json.find('\\', at)) {
        const auto value = EscapeAt(json, at);
        if (!value) {
            at += 2;  // an escape of two characters, perhaps of a backslash
            continue;
        }
        if (IsHighSurrogate(*value)) {
            const auto next = EscapeAt(json, at + 6);
            if (next && IsLowSurrogate(*next)) {
                at += 12;
                continue;
            }
        }
        if (*value == 0 || IsHighSurrogate(*value) || IsLowSurrogate(*value))
            json.replace(at + 2, 4, "fffd");
        at += 6;
    }
}

std::string CutText(std::string_view text, std::size_t limit) {
    if (text.size() <= limit) return std::string(text);
    const std::string mark = "\n[cut: the text had " + std::to_string(text.size()) + " bytes]";
    std::size_t end = limit > mark.size() ? limit - mark.size() : 0;
    while (end > 0 && IsContinuation(text[end])) --end;
    return std::string(text.substr(0, end)) + mark;
}

std::string_view FirstCharacters(std::string_view text, std::size_t characters) {
    std::size_t seen = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (!IsContinuation(text[i]) && seen++ == characters) return text.substr(0, i);
    }
    return text;
}

std::size_t CountCharacters(std::string_view text) {
    std::size_t seen = 0;
    for (const char c : text) seen += IsContinuation(c) ? 0 : 1;
    return seen;
}

}  // namespace aim::data_api
