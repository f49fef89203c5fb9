#include "core/http/request_parser.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/base/ascii.hpp"
#include "core/http/field_syntax.hpp"

namespace aim::http {
namespace {

using Refusal = RequestParser::Refusal;

constexpr Refusal Bad(std::string_view message) { return {400, "invalid_request", message}; }

constexpr Refusal kBadStartLine = Bad("The request line is malformed.");
constexpr Refusal kBadVersion = Bad("Only HTTP/1.1 and HTTP/1.0 are spoken here.");
constexpr Refusal kBadField = Bad("A header line is malformed.");
constexpr Refusal kBadLineEnd = Bad("A line does not end in CR LF.");
constexpr Refusal kBadHost = Bad("The request needs exactly one valid Host header.");
constexpr Refusal kBadLength = Bad("The Content-Length header is invalid.");
constexpr Refusal kBadCoding = Bad("The Transfer-Encoding header is not supported as it stands.");
constexpr Refusal kLengthAndCoding =
    Bad("Content-Length and Transfer-Encoding exclude each other.");
constexpr Refusal kBadExpectation = Bad("The only supported expectation is 100-continue.");
constexpr Refusal kBadChunk = Bad("The chunked body is malformed.");
constexpr Refusal kLongChunkLine = Bad("A chunk's size line or the chunk extensions are too long.");
constexpr Refusal kHeadTooLarge = {431, "head_too_large", "The head of the request is too large."};
constexpr Refusal kBodyTooLarge = {413, "body_too_large", "The body of the request is too large."};

enum : unsigned char { kTarget = 1, kHostChar = 2 };

// What a byte may be part of: a request target, a Host value.
constexpr std::array<unsigned char, 256> kClasses = [] {
    std::array<unsigned char, 256> classes{};
    for (int c = 0; c < 256; ++c) {
        unsigned char bits = 0;
        const bool alnum =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (c > 0x20 && c != 0x7f && c != '#') bits |= kTarget;
        if (alnum || (c != 0 && std::string_view("-._~%:[]!$&'()*+;=").find(static_cast<char>(c)) !=
                                    std::string_view::npos)) {
            bits |= kHostChar;
        }
        classes[static_cast<std::size_t>(c)] = bits;
    }
    return classes;
}();

bool AllOf(std::string_view text, unsigned char wanted) {
    return std::all_of(text.begin(), text.end(), [wanted](char c) {
        return (kClasses[static_cast<unsigned char>(c)] & wanted) != 0;
    });
}

std::string_view TrimBlanks(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

bool StartsWithIgnoreCase(std::string_view text, std::string_view prefix) {
    return text.size() >= prefix.size() && EqualsIgnoreCase(text.substr(0, prefix.size()), prefix);
}

// "http://host/path" as proxies send it: what follows the authority. Empty when it is no such
// target.
std::string_view PathOfAbsolute(std::string_view target) {
    const std::size_t scheme = StartsWithIgnoreCase(target, "http://")    ? 7
                               : StartsWithIgnoreCase(target, "https://") ? 8
                                                                          : 0;
    if (scheme == 0) return {};
    const std::size_t end = std::min(target.find_first_of("/?", scheme), target.size());
    const std::string_view authority = target.substr(scheme, end - scheme);
    if (authority.empty() || !AllOf(authority, kHostChar)) return {};
    return end == target.size() ? "/" : target.substr(end);
}

}  // namespace

void RequestParser::Reset() {
    const Limits limits = limits_;
    *this = RequestParser(limits);
}

RequestParser::Status RequestParser::Refuse(const Refusal& refusal) {
    refusal_ = refusal;
    stage_ = Stage::kRefused;
    return Status::kRefused;
}

RequestParser::Status RequestParser::Parse(std::string_view& input, Request& request) {
    switch (stage_) {
        case Stage::kStartLine:
        case Stage::kHeaders:
            return ReadHead(input, request);
        case Stage::kDone:
            return Status::kComplete;
        case Stage::kRefused:
            return Status::kRefused;
        default:
            return ReadBody(input, request);
    }
}

RequestParser::Line RequestParser::TakeLine(std::string_view& input, std::size_t budget,
                                            const Refusal& too_long, std::string_view& line) {
    const std::size_t newline = input.find('\n', scanned_);
    if (newline == std::string_view::npos) {
        scanned_ = input.size();
        if (input.size() < budget) return Line::kPartial;
        Refuse(too_long);
        return Line::kRefused;
    }
    if (newline >= budget) {
        Refuse(too_long);
        return Line::kRefused;
    }
    scanned_ = 0;
    if (newline == 0 || input[newline - 1] != '\r') {
        Refuse(kBadLineEnd);
        return Line::kRefused;
    }
    line = input.substr(0, newline - 1);
    input.remove_prefix(newline + 1);
    return Line::kWhole;
}

RequestParser::Status RequestParser::ReadHead(std::string_view& input, Request& request) {
    for (;;) {
        std::string_view line;
        const Line taken = TakeLine(input, limits_.head_bytes - head_bytes_, kHeadTooLarge, line);
        if (taken == Line::kPartial) return Status::kNeedMore;
        if (taken == Line::kRefused) return Status::kRefused;
        head_bytes_ += line.size() + 2;
        if (stage_ == Stage::kStartLine) {
            // Old clients send an empty line after a body (RFC 9112 2.2).
            if (line.empty() && head_bytes_ <= 4) continue;
            if (!ReadStartLine(line, request)) return Status::kRefused;
            stage_ = Stage::kHeaders;
        } else if (line.empty()) {
            return FinishHead(request) ? Status::kHead : Status::kRefused;
        } else if (!ReadField(line, request)) {
            return Status::kRefused;
        }
    }
}

bool RequestParser::ReadStartLine(std::string_view line, Request& request) {
    const auto refuse = [this](const Refusal& refusal) {
        Refuse(refusal);
        return false;
    };
    const std::size_t first = line.find(' ');
    const std::size_t last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) return refuse(kBadStartLine);
    const std::string_view method = line.substr(0, first);
    const std::string_view target = line.substr(first + 1, last - first - 1);
    const std::string_view version = line.substr(last + 1);
    if (method.size() > 32 || !IsToken(method)) return refuse(kBadStartLine);
    if (target.empty() || !AllOf(target, kTarget)) return refuse(kBadStartLine);
    if (version == "HTTP/1.1") {
        minor_version_ = 1;
    } else if (version == "HTTP/1.0") {
        minor_version_ = 0;
    } else {
        return refuse(kBadVersion);
    }
    request.method = ParseMethod(method);
    if (target.front() == '/' || (target == "*" && request.method == Method::kOptions)) {
        request.target.assign(target);
        return true;
    }
    const std::string_view path = PathOfAbsolute(target);
    if (path.empty()) return refuse(kBadStartLine);
    request.target.assign(path.front() == '/' ? "" : "/");
    request.target.append(path);
    return true;
}

bool RequestParser::ReadField(std::string_view line, Request& request) {
    const std::size_t colon = line.find(':');
    // A blank at the front is a folded line; a blank before the colon is no token.
    if (colon == std::string_view::npos || !IsToken(line.substr(0, colon))) {
        Refuse(kBadField);
        return false;
    }
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = TrimBlanks(line.substr(colon + 1));
    if (!IsFieldValue(value)) {
        Refuse(kBadField);
        return false;
    }
    if (request.headers.size() >= limits_.header_count) {
        Refuse(kHeadTooLarge);
        return false;
    }
    if (!NoteField(name, value)) return false;
    request.headers.Add(name, value);
    return true;
}

bool RequestParser::NoteField(std::string_view name, std::string_view value) {
    switch (name.size()) {
        case 4:
            if (!EqualsIgnoreCase(name, "host")) return true;
            if (++hosts_ == 1 && AllOf(value, kHostChar)) return true;
            Refuse(kBadHost);
            return false;
        case 6:
            if (!EqualsIgnoreCase(name, "expect")) return true;
            expects_continue_ = EqualsIgnoreCase(value, "100-continue");
            if (expects_continue_) return true;
            Refuse(kBadExpectation);
            return false;
        case 10:
            if (!EqualsIgnoreCase(name, "connection")) return true;
            close_asked_ = close_asked_ || ListHasToken(value, "close");
            keep_asked_ = keep_asked_ || ListHasToken(value, "keep-alive");
            return true;
        case 14:
            return !EqualsIgnoreCase(name, "content-length") || ReadContentLength(value);
        case 17:
            if (!EqualsIgnoreCase(name, "transfer-encoding")) return true;
            if (!chunked_ && minor_version_ == 1 && EqualsIgnoreCase(value, "chunked")) {
                chunked_ = true;
                return true;
            }
            Refuse(kBadCoding);
            return false;
        default:
            return true;
    }
}

bool RequestParser::ReadContentLength(std::string_view value) {
    // Digits only and no more than 18 of them, so that nothing overflows; a second header is
    // refused even when it says the same.
    const bool digits =
        std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (has_length_ || value.empty() || value.size() > 18 || !digits) {
        Refuse(kBadLength);
        return false;
    }
    has_length_ = true;
    remaining_ = 0;
    for (const char c : value) remaining_ = remaining_ * 10 + static_cast<std::uint64_t>(c - '0');
    return true;
}

bool RequestParser::FinishHead(const Request&) {
    keep_alive_ = !close_asked_ && (minor_version_ == 1 || keep_asked_);
    if (minor_version_ == 1 && hosts_ != 1) {
        Refuse(kBadHost);
        return false;
    }
    if (chunked_ && has_length_) {
        Refuse(kLengthAndCoding);
        return false;
    }
    if (remaining_ > limits_.body_bytes) {
        Refuse(kBodyTooLarge);
        return false;
    }
    expects_continue_ = expects_continue_ && minor_version_ == 1 && (chunked_ || remaining_ > 0);
    stage_ = chunked_ ? Stage::kChunkSize : remaining_ > 0 ? Stage::kLengthBody : Stage::kDone;
    return true;
}

void RequestParser::TakeBytes(std::string_view& input, Request& request) {
    const std::size_t size =
        static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input.size()));
    request.body.append(input.substr(0, size));
    input.remove_prefix(size);
    remaining_ -= size;
}

RequestParser::Status RequestParser::ReadBody(std::string_view& input, Request& request) {
    for (;;) {
        std::string_view line;
        switch (stage_) {
            case Stage::kLengthBody:
                TakeBytes(input, request);
                if (remaining_ > 0) return Status::kNeedMore;
                stage_ = Stage::kDone;
                return Status::kComplete;
            case Stage::kChunkSize:
                switch (TakeLine(input, limits_.chunk_line_bytes, kLongChunkLine, line)) {
                    case Line::kPartial:
                        return Status::kNeedMore;
                    case Line::kRefused:
                        return Status::kRefused;
                    case Line::kWhole:
                        break;
                }
                if (!ReadChunkSize(line, request)) return Status::kRefused;
                stage_ = remaining_ > 0 ? Stage::kChunkData : Stage::kTrailers;
                break;
            case Stage::kChunkData:
                TakeBytes(input, request);
                if (remaining_ > 0) return Status::kNeedMore;
                stage_ = Stage::kChunkEnd;
                break;
            case Stage::kChunkEnd:
                if (!input.empty() && input[0] != '\r') return Refuse(kBadChunk);
                if (input.size() < 2) return Status::kNeedMore;
                if (input[1] != '\n') return Refuse(kBadChunk);
                input.remove_prefix(2);
                stage_ = Stage::kChunkSize;
                break;
            case Stage::kTrailers:
                switch (
                    TakeLine(input, limits_.trailer_bytes - trailer_bytes_, kHeadTooLarge, line)) {
                    case Line::kPartial:
                        return Status::kNeedMore;
                    case Line::kRefused:
                        return Status::kRefused;
                    case Line::kWhole:
                        break;
                }
                trailer_bytes_ += line.size() + 2;
                if (line.empty()) {
                    stage_ = Stage::kDone;
                    return Status::kComplete;
                }
                // Trailers are checked and dropped: nothing in them may change what the head said.
                if (const std::size_t colon = line.find(':'); colon == std::string_view::npos ||
                                                              !IsToken(line.substr(0, colon)) ||
                                                              !IsFieldValue(line.substr(colon))) {
                    return Refuse(kBadField);
                }
                break;
            default:
                return stage_ == Stage::kDone ? Status::kComplete : Status::kRefused;
        }
    }
}

bool RequestParser::ReadChunkSize(std::string_view line, const Request& request) {
    const std::size_t end = std::min(line.find(';'), line.size());
    const std::string_view digits = line.substr(0, end);
    const std::string_view extension = line.substr(end);
    remaining_ = 0;
    bool valid = !digits.empty() && digits.size() <= 15 && IsFieldValue(extension);
    for (const char c : digits) {
        const int value = HexValue(c);
        valid = valid && value >= 0;
        remaining_ = remaining_ * 16 + static_cast<std::uint64_t>(value);
        if (!valid) break;
    }
    if (!valid) {
        Refuse(kBadChunk);
        return false;
    }
    extension_bytes_ += extension.size();
    if (extension_bytes_ > limits_.chunk_extension_bytes) {
        Refuse(kLongChunkLine);
        return false;
    }
    if (remaining_ > limits_.body_bytes - request.body.size()) {
        Refuse(kBodyTooLarge);
        return false;
    }
    return true;
}

}  // namespace aim::http
