#include "tests/support/fake_provider/http_request.hpp"

#include <charconv>
#include <optional>

#include <strings.h>

namespace aim::testing {
namespace {

std::string_view Trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

std::optional<std::size_t> ReadNumber(std::string_view text, int base) {
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

struct HeadFacts {
    std::optional<std::size_t> content_length;
    bool chunked = false;
};

bool ReadRequestLine(std::string_view line, HttpRequest* request) {
    const std::size_t first = line.find(' ');
    const std::size_t last = line.rfind(' ');
    if (first == std::string_view::npos || first == last || first == 0) return false;
    request->method = line.substr(0, first);
    request->target = line.substr(first + 1, last - first - 1);
    const std::string_view version = line.substr(last + 1);
    request->http11 = version == "HTTP/1.1";
    request->keep_alive = request->http11;
    return (request->http11 || version == "HTTP/1.0") && request->target.front() == '/';
}

bool NoteHeader(std::string_view name, std::string_view value, HttpRequest* request,
                HeadFacts* facts) {
    switch (name.size()) {
        case 6:
            if (EqualNoCase(name, "expect") && EqualNoCase(value, "100-continue"))
                request->expects_continue = true;
            break;
        case 10:
            if (EqualNoCase(name, "connection")) {
                if (EqualNoCase(value, "close")) request->keep_alive = false;
                if (EqualNoCase(value, "keep-alive")) request->keep_alive = true;
            }
            break;
        case 13:
            if (EqualNoCase(name, "x-fake-script")) request->script_header = value;
            break;
        case 14:
            if (EqualNoCase(name, "content-length")) {
                if (facts->content_length) return false;
                facts->content_length = ReadNumber(value, 10);
                return facts->content_length && *facts->content_length <= kMaxBodyBytes;
            }
            break;
        case 17:
            if (EqualNoCase(name, "transfer-encoding")) {
                facts->chunked = EqualNoCase(value, "chunked");
                return facts->chunked;
            }
            break;
        default:
            break;
    }
    return true;
}

RequestState ReadChunkedBody(std::string_view input, HttpRequest* request) {
    std::size_t at = request->bytes;
    request->decoded_body.clear();
    while (true) {
        const std::size_t line_end = input.find("\r\n", at);
        if (line_end == std::string_view::npos) return RequestState::kIncomplete;
        std::string_view line = input.substr(at, line_end - at);
        line = Trim(line.substr(0, line.find(';')));
        const auto size = ReadNumber(line, 16);
        if (!size || *size > kMaxBodyBytes - request->decoded_body.size())
            return RequestState::kMalformed;
        at = line_end + 2;
        if (*size == 0) break;
        if (input.size() < at + *size + 2) return RequestState::kIncomplete;
        request->decoded_body.append(input.substr(at, *size));
        if (input.substr(at + *size, 2) != "\r\n") return RequestState::kMalformed;
        at += *size + 2;
    }
    while (true) {  // trailers
        const std::size_t line_end = input.find("\r\n", at);
        if (line_end == std::string_view::npos) return RequestState::kIncomplete;
        const bool empty = line_end == at;
        at = line_end + 2;
        if (empty) break;
    }
    request->bytes = at;
    request->body = request->decoded_body;
    return RequestState::kComplete;
}

}  // namespace

bool EqualNoCase(std::string_view a, std::string_view b) {
    return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

RequestState ReadHttpRequest(std::string_view input, HttpRequest* request, std::size_t* needed) {
    *needed = input.size() + 1;
    request->headers.clear();
    request->body = {};
    request->script_header = {};
    request->expects_continue = false;
    const std::size_t head_end = input.find("\r\n\r\n");
    if (head_end == std::string_view::npos)
        return input.size() > kMaxHeadBytes ? RequestState::kMalformed : RequestState::kIncomplete;
    std::size_t at = input.find("\r\n");
    if (!ReadRequestLine(input.substr(0, at), request)) return RequestState::kMalformed;
    HeadFacts facts;
    for (at += 2; at < head_end + 2;) {
        const std::size_t line_end = input.find("\r\n", at);
        const std::string_view line = input.substr(at, line_end - at);
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || colon == 0 || line[colon - 1] == ' ')
            return RequestState::kMalformed;
        const std::string_view name = line.substr(0, colon);
        const std::string_view value = Trim(line.substr(colon + 1));
        if (!NoteHeader(name, value, request, &facts)) return RequestState::kMalformed;
        request->headers.emplace_back(name, value);
        at = line_end + 2;
    }
    request->bytes = head_end + 4;
    if (facts.chunked)
        return facts.content_length ? RequestState::kMalformed : ReadChunkedBody(input, request);
    const std::size_t length = facts.content_length.value_or(0);
    if (input.size() - request->bytes < length) {
        *needed = request->bytes + length;
        return RequestState::kIncomplete;
    }
    request->body = input.substr(request->bytes, length);
    request->bytes += length;
    return RequestState::kComplete;
}

}  // namespace aim::testing
