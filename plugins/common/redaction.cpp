#include "plugins/common/redaction.hpp"

#include <algorithm>
#include <array>

namespace aim::openai {
namespace {

constexpr std::string_view kReplacement = "[redacted]";
constexpr std::size_t kLongWord = 32;
constexpr std::array<std::string_view, 12> kPrefixes = {
    "sk-", "sk_", "gsk_", "gsk-", "hf_", "r8_", "csk-", "xai-", "xa*", "AIza", "pk-", "key-"};

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
// '*' too: providers mask keys partly.
bool IsKeyCharacter(char c) {
    return IsLetter(c) || IsDigit(c) || c == '_' || c == '-' || c == '*' || c == '+' || c == '=';
}

bool LooksLikeKey(std::string_view word) {
    const bool known = std::any_of(kPrefixes.begin(), kPrefixes.end(), [&](std::string_view p) {
        return word.size() > p.size() + 3 && word.substr(0, p.size()) == p;
    });
    if (known || word.find("***") != std::string_view::npos) {  // masked: its rest is shown
        return true;
    }
    const bool one_piece = word.find('-') == std::string_view::npos;
    return word.size() >= kLongWord && one_piece &&
           std::any_of(word.begin(), word.end(), IsLetter) &&
           std::any_of(word.begin(), word.end(), IsDigit);
}

bool SameIgnoringCase(std::string_view a, std::string_view lower) {
    return a.size() == lower.size() &&
           std::equal(a.begin(), a.end(), lower.begin(),
                      [](char x, char y) { return (IsLetter(x) ? (x | 0x20) : x) == y; });
}

}  // namespace

std::string SafeText(std::string_view text, std::size_t max_bytes) {
    std::string safe;
    bool after_bearer = false;
    std::size_t at = 0;
    while (at < text.size()) {
        std::size_t end = at;
        while (end < text.size() && IsKeyCharacter(text[end])) {
            ++end;
        }
        if (end == at) {
            // NUL and other control characters have no place in a message.
            const char c = text[at++];
            const bool control = static_cast<unsigned char>(c) < 0x20;
            safe.push_back(control ? ' ' : c);
            after_bearer = after_bearer && (c == ' ' || c == ':' || c == '"' || c == '\'');
            continue;
        }
        std::string_view word = text.substr(at, end - at);
        if (after_bearer) {  // a token may hold '.', '/' and '~' as well
            while (end < text.size() && text[end] != ' ' && text[end] != '"' &&
                   static_cast<unsigned char>(text[end]) >= 0x20) {
                ++end;
            }
            word = text.substr(at, end - at);
        }
        if ((after_bearer && word.size() >= 4) || LooksLikeKey(word)) {
            safe += kReplacement;
        } else {
            safe += word;
        }
        after_bearer = SameIgnoringCase(word, "bearer");
        at = end;
    }
    while (!safe.empty() && safe.back() == ' ') {
        safe.pop_back();
    }
    if (safe.size() > max_bytes) {
        std::size_t cut = max_bytes;
        while (cut > 0 && (static_cast<unsigned char>(safe[cut]) & 0xC0) == 0x80) {
            --cut;
        }
        safe.resize(cut);
    }
    return safe;
}

}  // namespace aim::openai
