#include "core/config/reader.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "core/base/ascii.hpp"

namespace aim::config {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

std::string_view Trim(std::string_view text) {
    const std::size_t first = text.find_first_not_of(kSpace);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

// All of the text, or nothing.
template <typename T>
std::optional<T> ParseNumber(std::string_view text) {
    T value{};
    const std::from_chars_result result =
        std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || result.ec != std::errc() || result.ptr != text.data() + text.size())
        return std::nullopt;
    return value;
}

std::optional<std::uint64_t> ParseBytes(std::string_view text) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const std::optional<std::uint64_t> number = ParseNumber<std::uint64_t>(text.substr(0, digits));
    if (!number) return std::nullopt;
    const std::string unit = AsciiLowered(Trim(text.substr(digits)));
    int shift = 0;
    if (unit == "kib") {
        shift = 10;
    } else if (unit == "mib") {
        shift = 20;
    } else if (unit == "gib") {
        shift = 30;
    } else if (!unit.empty() && unit != "b") {
        return std::nullopt;
    }
    if (*number > (UINT64_MAX >> shift)) return std::nullopt;
    return *number << shift;
}

bool IsPort(std::string_view text) {
    const auto port = ParseNumber<std::uint32_t>(text);
    return port && *port >= 1 && *port <= 65535;
}

// What stands between scheme:// and the path: [user@]host[:port], the host perhaps an IPv6 address
// in brackets.
bool IsAuthority(std::string_view authority) {
    const std::size_t at = authority.rfind('@');
    if (at != std::string_view::npos) authority.remove_prefix(at + 1);
    std::string_view host;
    std::string_view rest;
    if (!authority.empty() && authority.front() == '[') {
        const std::size_t bracket = authority.find(']');
        if (bracket == std::string_view::npos) return false;
        host = authority.substr(1, bracket - 1);
        rest = authority.substr(bracket + 1);
    } else {
        const std::size_t colon = std::min(authority.find(':'), authority.size());
        host = authority.substr(0, colon);
        rest = authority.substr(colon);
    }
    return !host.empty() && (rest.empty() || (rest.front() == ':' && IsPort(rest.substr(1))));
}

bool IsUrl(std::string_view url, std::initializer_list<std::string_view> schemes) {
    const bool printable =
        std::all_of(url.begin(), url.end(), [](char c) { return c > 0x20 && c != 0x7f; });
    const std::size_t colon = url.find("://");
    if (!printable || colon == std::string_view::npos) return false;
    const std::string scheme = AsciiLowered(url.substr(0, colon));
    if (std::find(schemes.begin(), schemes.end(), scheme) == schemes.end()) return false;
    const std::string_view rest = url.substr(colon + 3);
    return IsAuthority(rest.substr(0, rest.find_first_of("/?#")));
}

std::string Join(std::initializer_list<std::string_view> parts) {
    std::string joined;
    for (const std::string_view part : parts) {
        if (!joined.empty()) joined += ", ";
        joined += part;
    }
    return joined;
}

template <typename T>
std::string RangeText(std::string_view what, T least, T most) {
    return std::string(what) + " from " + std::to_string(least) + " to " + std::to_string(most);
}

}  // namespace

void ConfigErrors::Add(std::string_view name, std::string_view reason) {
    lines_.push_back(std::string(name) + ": " + std::string(reason));
}

std::string ConfigErrors::ToString() const {
    std::string text = "The configuration has " + std::to_string(lines_.size()) +
                       (lines_.size() == 1 ? " error:\n" : " errors:\n");
    for (const std::string& line : lines_) text += "  " + line + "\n";
    return text;
}

std::string Reader::Text(std::string_view name, std::string_view otherwise) {
    return std::string(environment_.Get(name).value_or(otherwise));
}

std::string Reader::RequiredText(std::string_view name) {
    if (!environment_.Has(name)) errors_.Add(name, "must be set");
    return Text(name);
}

SecretString Reader::Secret(std::string_view name) {
    return SecretString(std::string(environment_.Get(name).value_or("")));
}

SecretString Reader::RequiredSecret(std::string_view name) {
    if (!environment_.Has(name)) errors_.Add(name, "must be set");
    return Secret(name);
}

std::uint16_t Reader::Port(std::string_view name, std::uint16_t otherwise) {
    return static_cast<std::uint16_t>(Integer(name, otherwise, 0, 65535));
}

std::int64_t Reader::Integer(std::string_view name, std::int64_t otherwise, std::int64_t least,
                             std::int64_t most) {
    const auto text = environment_.Get(name);
    if (!text) return otherwise;
    const auto value = ParseNumber<std::int64_t>(Trim(*text));
    if (value && *value >= least && *value <= most) return *value;
    errors_.Add(name, RangeText("must be a whole number", least, most));
    return otherwise;
}

double Reader::Number(std::string_view name, double otherwise, double least, double most) {
    const auto text = environment_.Get(name);
    if (!text) return otherwise;
    const auto value = ParseNumber<double>(Trim(*text));
    if (value && *value >= least && *value <= most) return *value;  // false for NaN
    errors_.Add(name, RangeText("must be a number", least, most));
    return otherwise;
}

bool Reader::Bool(std::string_view name, bool otherwise) {
    const auto text = environment_.Get(name);
    if (!text) return otherwise;
    const std::string word = AsciiLowered(Trim(*text));
    if (word == "true" || word == "1" || word == "yes" || word == "on") return true;
    if (word == "false" || word == "0" || word == "no" || word == "off") return false;
    errors_.Add(name, "must be true or false");
    return otherwise;
}

std::string Reader::Choice(std::string_view name, std::string_view otherwise,
                           std::initializer_list<std::string_view> choices) {
    const auto text = environment_.Get(name);
    if (!text) return std::string(otherwise);
    const std::string word = AsciiLowered(Trim(*text));
    for (const std::string_view choice : choices) {
        if (AsciiLowered(choice) == word) return std::string(choice);
    }
    errors_.Add(name, "must be one of " + Join(choices));
    return std::string(otherwise);
}

std::chrono::milliseconds Reader::Milliseconds(std::string_view name,
                                               std::chrono::milliseconds otherwise,
                                               std::chrono::milliseconds least,
                                               std::chrono::milliseconds most) {
    return std::chrono::milliseconds(Integer(name, otherwise.count(), least.count(), most.count()));
}

std::chrono::seconds Reader::Seconds(std::string_view name, std::chrono::seconds otherwise,
                                     std::chrono::seconds least, std::chrono::seconds most) {
    return std::chrono::seconds(Integer(name, otherwise.count(), least.count(), most.count()));
}

std::uint64_t Reader::Bytes(std::string_view name, std::uint64_t otherwise, std::uint64_t least,
                            std::uint64_t most) {
    const auto text = environment_.Get(name);
    if (!text) return otherwise;
    const auto value = ParseBytes(Trim(*text));
    if (value && *value >= least && *value <= most) return *value;
    errors_.Add(name, RangeText("must be a size in bytes (4096, 256KiB, 1GiB)", least, most));
    return otherwise;
}

std::vector<std::string> Reader::List(std::string_view name, std::string_view otherwise,
                                      char separator) {
    std::string_view rest = environment_.Get(name).value_or(otherwise);
    std::vector<std::string> parts;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find(separator), rest.size());
        const std::string_view part = Trim(rest.substr(0, end));
        if (!part.empty()) parts.emplace_back(part);
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return parts;
}

std::string Reader::Url(std::string_view name, std::string_view otherwise,
                        std::initializer_list<std::string_view> schemes) {
    const auto text = environment_.Get(name);
    if (!text) return std::string(otherwise);
    std::string url(Trim(*text));
    if (!IsUrl(url, schemes)) {
        errors_.Add(name, "must be a URL, scheme://host[:port][/path], scheme " + Join(schemes));
        return std::string(otherwise);
    }
    if (url.back() == '/') url.pop_back();
    return url;
}

}  // namespace aim::config
