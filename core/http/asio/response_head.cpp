#include "core/http/asio/response_head.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "core/base/word_scan.hpp"

namespace aim::http {
namespace {

void AppendNumber(std::uint64_t number, std::string& out) {
    char digits[20];
    const auto end = std::to_chars(std::begin(digits), std::end(digits), number).ptr;
    out.append(digits, end);
}

bool IsControl(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

bool IsName(std::string_view text) {
    return !text.empty() && !AnyByte(text, [](std::uint64_t bytes) {
        return word::Below(bytes, ' ' + 1) | word::Equal(bytes, ':') | word::Equal(bytes, 0x7f);
    });
}

// A tab is one, too.
bool HasControl(std::string_view text) {
    return AnyByte(text, [](std::uint64_t bytes) {
        return word::Below(bytes, ' ') | word::Equal(bytes, 0x7f);
    });
}

bool IsServersOwn(std::string_view name) {
    switch (name.size()) {
        case 4:
            return EqualsIgnoreCase(name, "date");
        case 10:
            return EqualsIgnoreCase(name, "connection");
        case 14:
            return EqualsIgnoreCase(name, "content-length");
        case 17:
            return EqualsIgnoreCase(name, "transfer-encoding");
        default:
            return false;
    }
}

void AppendField(std::string_view name, std::string_view value, std::string& out) {
    if (!IsName(name) || IsServersOwn(name)) return;
    out.append(name).append(": ");
    const std::size_t at = out.size();
    out.append(value);
    if (HasControl(value))
        std::replace_if(out.begin() + static_cast<std::ptrdiff_t>(at), out.end(), IsControl, ' ');
    out.append("\r\n");
}

}  // namespace

std::string_view DateCache::Get() {
    const auto seconds =
        std::chrono::floor<std::chrono::seconds>(clock_.RoughWallNow()).time_since_epoch().count();
    if (seconds == second_) return text_;
    second_ = seconds;
    const std::time_t time = seconds;
    std::tm parts{};
    gmtime_r(&time, &parts);
    char text[40];
    // The C locale, which the process never leaves, has the names that HTTP wants.
    text_.assign(text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts));
    return text_;
}

bool StatusHasBody(int status) { return status >= 200 && status != 204 && status != 304; }

void AppendHead(const Response& response, Framing framing, ConnectionHeader connection,
                std::string_view date, std::string& out) {
    if (response.status == 200) {
        out.append("HTTP/1.1 200 OK\r\n");
    } else {
        out.append("HTTP/1.1 ");
        AppendNumber(static_cast<std::uint64_t>(std::clamp(response.status, 100, 999)), out);
        out.append(" ").append(ReasonPhrase(response.status)).append("\r\n");
    }
    for (std::size_t i = 0; i < response.headers.size(); ++i) {
        const HeaderMap::Field field = response.headers[i];
        AppendField(field.name, field.value, out);
    }
    if (framing == Framing::kLength) {
        out.append("Content-Length: ");
        AppendNumber(response.body.size(), out);
        out.append("\r\n");
    } else if (framing == Framing::kChunked) {
        out.append("Transfer-Encoding: chunked\r\n");
    }
    out.append("Date: ").append(date).append("\r\n");
    if (connection == ConnectionHeader::kClose) {
        out.append("Connection: close\r\n");
    } else if (connection == ConnectionHeader::kKeepAlive) {
        out.append("Connection: keep-alive\r\n");
    }
    out.append("\r\n");
}

}  // namespace aim::http
