#include "core/json/scan.hpp"

#include "core/json/scanner.hpp"

namespace aim::json {
namespace {

unsigned Hex4(std::string_view digits) {
    unsigned unit = 0;
    for (const char c : digits) {
        const unsigned digit = static_cast<unsigned>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
        unit = unit * 16 + digit;
    }
    return unit;
}

void AppendCodePoint(unsigned point, std::string& out) {
    const auto tail = [&out](unsigned bits) {
        out.push_back(static_cast<char>(0x80 | (bits & 0x3F)));
    };
    if (point < 0x80) {
        out.push_back(static_cast<char>(point));
    } else if (point < 0x800) {
        out.push_back(static_cast<char>(0xC0 | (point >> 6)));
        tail(point);
    } else if (point < 0x10000) {
        out.push_back(static_cast<char>(0xE0 | (point >> 12)));
        tail(point >> 6);
        tail(point);
    } else {
        out.push_back(static_cast<char>(0xF0 | (point >> 18)));
        tail(point >> 12);
        tail(point >> 6);
        tail(point);
    }
}

// Resolves the escapes of a string that the scanner has accepted: every escape is known to be
// whole.
std::string Unescape(std::string_view raw) {
    constexpr std::string_view kLetters = "bfnrt";
    constexpr std::string_view kMeanings = "\b\f\n\r\t";
    std::string out;
    out.reserve(raw.size());
    for (std::size_t i = 0; i < raw.size(); ++i) {
        if (raw[i] != '\\') {
            out.push_back(raw[i]);
            continue;
        }
        const char c = raw[++i];
        if (c != 'u') {
            const std::size_t letter = kLetters.find(c);
            out.push_back(letter == std::string_view::npos ? c : kMeanings[letter]);
            continue;
        }
        unsigned point = Hex4(raw.substr(i + 1, 4));
        i += 4;
        if (point >= 0xD800 && point <= 0xDBFF) {
            point = 0x10000 + ((point - 0xD800) << 10) + (Hex4(raw.substr(i + 3, 4)) - 0xDC00);
            i += 6;
        }
        AppendCodePoint(point, out);
    }
    return out;
}

}  // namespace

std::string Member::Key() const {
    return key_has_escapes ? Unescape(raw_key) : std::string(raw_key);
}

bool Member::KeyIs(std::string_view name) const {
    return key_has_escapes ? Unescape(raw_key) == name : raw_key == name;
}

Result<std::vector<Member>> TopLevelMembers(std::string_view object, const Limits& limits) {
    std::vector<Member> members;
    members.reserve(16);
    Scanner scanner(object, limits);
    if (!scanner.Scan(&members)) return scanner.Failure();
    const std::size_t first = object.find_first_not_of(" \t\r\n");
    if (object[first] != '{') return InvalidJson("expected an object", first);
    return members;
}

bool IsValidValue(std::string_view text, const Limits& limits) {
    return Scanner(text, limits).Scan(nullptr);
}

}  // namespace aim::json
