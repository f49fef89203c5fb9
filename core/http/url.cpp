#include "core/http/url.hpp"

#include <algorithm>
#include <charconv>

#include "core/base/ascii.hpp"
#include "core/base/word_scan.hpp"

namespace aim::http {
namespace {

bool IsHostCharacter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

bool IsAddressCharacter(char c) { return HexValue(c) >= 0 || c == ':' || c == '.'; }

std::optional<std::uint16_t> ParsePort(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
    return port;
}

bool TakePrefix(std::string_view& text, std::string_view prefix) {
    if (text.size() < prefix.size()) return false;
    for (std::size_t i = 0; i < prefix.size(); ++i) {
        if (AsciiLower(text[i]) != prefix[i]) return false;
    }
    text.remove_prefix(prefix.size());
    return true;
}

}  // namespace

std::optional<Url> Url::Parse(std::string_view text) {
    const bool forbidden = AnyByte(text, [](std::uint64_t bytes) {
        return word::Below(bytes, ' ' + 1) | word::Equal(bytes, 0x7f) | word::Equal(bytes, '#') |
               word::Equal(bytes, '\\');
    });
    if (forbidden) return std::nullopt;
    Url url;
    if (TakePrefix(text, "https://")) {
        url.tls = true;
    } else if (!TakePrefix(text, "http://")) {
        return std::nullopt;
    }
    const std::size_t authority_end = std::min(text.find_first_of("/?"), text.size());
    std::string_view authority = text.substr(0, authority_end);
    if (authority.find('@') != std::string_view::npos) return std::nullopt;
    std::string_view port_text;
    bool bracketed = false;
    if (!authority.empty() && authority.front() == '[') {
        const std::size_t close = authority.find(']');
        if (close == std::string_view::npos) return std::nullopt;
        bracketed = true;
        url.host = authority.substr(1, close - 1);
        std::string_view rest = authority.substr(close + 1);
        if (!rest.empty()) {
            if (rest.front() != ':') return std::nullopt;
            port_text = rest.substr(1);
            if (port_text.empty()) return std::nullopt;
        }
    } else {
        const std::size_t colon = authority.find(':');
        url.host = authority.substr(0, colon);
        if (colon != std::string_view::npos) {
            port_text = authority.substr(colon + 1);
            if (port_text.empty()) return std::nullopt;
        }
    }
    std::transform(url.host.begin(), url.host.end(), url.host.begin(), AsciiLower);
    const bool valid_host = std::all_of(url.host.begin(), url.host.end(),
                                        bracketed ? IsAddressCharacter : IsHostCharacter);
    if (url.host.empty() || url.host.size() > 253 || !valid_host) return std::nullopt;
    url.port = url.tls ? 443 : 80;
    if (!port_text.empty()) {
        const auto port = ParsePort(port_text);
        if (!port) return std::nullopt;
        url.port = *port;
    }
    url.target = text.substr(authority_end);
    if (url.target.empty() || url.target.front() == '?') url.target.insert(0, "/");
    return url;
}

std::string Url::HostHeader() const {
    const bool address6 = host.find(':') != std::string::npos;
    std::string text = address6 ? "[" + host + "]" : host;
    if (port != (tls ? 443 : 80)) text += ":" + std::to_string(port);
    return text;
}

std::string Url::Origin() const {
    return (tls ? "https://" : "http://") + host + ":" + std::to_string(port);
}

std::optional<std::string> PercentDecode(std::string_view text) {
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            decoded.push_back(text[i]);
            continue;
        }
        if (i + 2 >= text.size()) return std::nullopt;
        const int high = HexValue(text[i + 1]);
        const int low = HexValue(text[i + 2]);
        if (high < 0 || low < 0 || (high == 0 && low == 0)) return std::nullopt;
        decoded.push_back(static_cast<char>(high * 16 + low));
        i += 2;
    }
    return decoded;
}

std::optional<std::string> QueryValue(std::string_view query, std::string_view key) {
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view pair = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        const std::size_t equals = std::min(pair.find('='), pair.size());
        const auto name = PercentDecode(pair.substr(0, equals));
        if (!name || *name != key) continue;
        std::string value(pair.substr(std::min(equals + 1, pair.size())));
        std::replace(value.begin(), value.end(), '+', ' ');
        return PercentDecode(value);
    }
    return std::nullopt;
}

}  // namespace aim::http
