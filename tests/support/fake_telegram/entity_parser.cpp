#include "tests/support/fake_telegram/entity_parser.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <vector>

namespace aim::testing {
namespace {

constexpr std::array<std::string_view, 14> kTags{
    "b",      "strong", "i",          "em",   "u",    "ins", "s",
    "strike", "del",    "tg-spoiler", "span", "code", "pre", "blockquote"};

std::string At(std::size_t offset) { return " at byte offset " + std::to_string(offset); }

ParsedText Wrong(const std::string& what) {
    ParsedText parsed;
    parsed.error = "can't parse entities: " + what;
    return parsed;
}

std::string Entity(std::string_view text, std::size_t& at) {
    static const std::map<std::string_view, std::string_view> kNamed{
        {"&lt;", "<"}, {"&gt;", ">"}, {"&amp;", "&"}, {"&quot;", "\""}};
    for (const auto& [name, value] : kNamed) {
        if (text.substr(at).starts_with(name)) {
            at += name.size();
            return std::string(value);
        }
    }
    ++at;
    return "&";
}

struct OpenTag {
    std::string name;
    std::size_t visible_at = 0;
};

}  // namespace

std::size_t TelegramLength(std::string_view utf8) {
    std::size_t units = 0;
    for (const char c : utf8) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte & 0xC0) == 0x80) continue;
        units += byte >= 0xF0 ? 2 : 1;
    }
    return units;
}

std::string TrimMessage(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n";
    const std::size_t first = text.find_first_not_of(kSpace);
    if (first == std::string_view::npos) return {};
    return std::string(text.substr(first, text.find_last_not_of(kSpace) - first + 1));
}

ParsedText ParseTelegramHtml(std::string_view text) {
    ParsedText parsed;
    std::vector<OpenTag> open;
    for (std::size_t at = 0; at < text.size();) {
        if (text[at] == '&') {
            parsed.visible += Entity(text, at);
            continue;
        }
        if (text[at] != '<') {
            parsed.visible.push_back(text[at++]);
            continue;
        }
        const std::size_t start = at;
        const std::size_t end = text.find('>', start);
        const bool closing = text.substr(start + 1).starts_with('/');
        if (end == std::string_view::npos)
            return Wrong((closing ? "Unclosed end tag" : "Unclosed start tag") + At(start));
        const std::size_t name_at = start + (closing ? 2 : 1);
        std::string name(text.substr(name_at, text.find_first_of(" >", name_at) - name_at));
        std::transform(name.begin(), name.end(), name.begin(),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        at = end + 1;
        if (closing) {
            if (open.empty()) return Wrong("Unexpected end tag" + At(start));
            if (open.back().name != name) {
                return Wrong("Unmatched end tag" + At(start) + ", expected \"</" +
                             open.back().name + ">\", found \"</" + name + ">\"");
            }
            parsed.entities += parsed.visible.size() > open.back().visible_at ? 1 : 0;
            open.pop_back();
            continue;
        }
        const bool known =
            name == "a" || std::find(kTags.begin(), kTags.end(), name) != kTags.end();
        if (!known) return Wrong("Unsupported start tag \"" + name + "\"" + At(start));
        open.push_back({name, parsed.visible.size()});
    }
    if (!open.empty()) {
        return Wrong("Can't find end tag corresponding to start tag \"" + open.back().name + "\"");
    }
    return parsed;
}

ParsedText ParseTelegramMarkdownV2(std::string_view text) {
    constexpr std::string_view kReserved = "_*[]()~`>#+-=|{}.!";
    static const std::map<std::string_view, std::string_view> kNames{
        {"*", "Bold"},     {"_", "Italic"}, {"__", "Underline"}, {"~", "Strikethrough"},
        {"||", "Spoiler"}, {"`", "Code"},   {"```", "Pre"}};
    ParsedText parsed;
    struct Mark {
        std::string_view sign;
        std::size_t at;
    };
    std::vector<Mark> open;
    for (std::size_t at = 0; at < text.size();) {
        const std::string_view rest = text.substr(at);
        const bool in_code = !open.empty() && open.back().sign.front() == '`';
        if (rest.front() == '\\' && rest.size() > 1 && static_cast<unsigned char>(rest[1]) < 127) {
            parsed.visible.push_back(rest[1]);
            at += 2;
            continue;
        }
        std::string_view sign;
        for (const std::string_view candidate : {"```", "`", "||", "__", "*", "_", "~"}) {
            if (sign.empty() && rest.starts_with(candidate))
                sign = rest.substr(0, candidate.size());
        }
        if (in_code && sign != open.back().sign) sign = {};
        if (!sign.empty()) {
            if (!open.empty() && open.back().sign == sign) {
                open.pop_back();
                ++parsed.entities;
            } else {
                open.push_back({sign, at});
            }
            at += sign.size();
            continue;
        }
        if (!in_code && kReserved.find(rest.front()) != std::string_view::npos) {
            return Wrong("Character '" + std::string(1, rest.front()) +
                         "' is reserved and must be escaped with the preceding '\\'");
        }
        parsed.visible.push_back(rest.front());
        ++at;
    }
    if (!open.empty()) {
        return Wrong("Can't find end of " + std::string(kNames.at(open.back().sign)) + " entity" +
                     At(open.back().at));
    }
    return parsed;
}

}  // namespace aim::testing
