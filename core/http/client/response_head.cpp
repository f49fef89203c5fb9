#include "core/http/client/response_head.hpp"

#include <charconv>
#include <cstring>

#include "core/http/field_syntax.hpp"

namespace aim::http::client {
namespace {

constexpr int kMostInterimHeads = 16;
constexpr std::size_t kMostFields = 256;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::string_view Trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

// One Content-Length value, or a list of equal ones ("5, 5"), as some proxies merge them.
std::optional<std::uint64_t> ParseLength(std::string_view text) {
    std::optional<std::uint64_t> length;
    for (;;) {
        const std::size_t comma = text.find(',');
        const std::string_view item = Trim(text.substr(0, comma));
        std::uint64_t value = 0;
        const auto [end, error] = std::from_chars(item.data(), item.data() + item.size(), value);
        if (item.empty() || error != std::errc() || end != item.data() + item.size())
            return std::nullopt;
        if (length && *length != value) return std::nullopt;
        length = value;
        if (comma == std::string_view::npos) return length;
        text.remove_prefix(comma + 1);
    }
}

}  // namespace

void ResponseHeadParser::Start(HeaderMap& headers, std::size_t max_head_bytes, bool to_head,
                               bool to_connect) {
    *this = ResponseHeadParser();
    headers_ = &headers;
    headers_->Clear();
    max_head_bytes_ = max_head_bytes;
    to_head_ = to_head;
    to_connect_ = to_connect;
}

ResponseHeadParser::State ResponseHeadParser::Fail(const char* problem) {
    problem_ = problem;
    return State::kFailed;
}

ResponseHeadParser::State ResponseHeadParser::Parse(std::string_view input) {
    for (;;) {
        const std::string_view rest = input.substr(begin_);
        // Enough has come to see that this is not HTTP: do not wait for an end of line that never
        // comes.
        constexpr std::string_view kPrefix = "HTTP/1.";
        if (!rest.empty() && rest.substr(0, kPrefix.size()) != kPrefix.substr(0, rest.size())) {
            return Fail("the answer is not HTTP/1");
        }
        const std::size_t from = scanned_ > begin_ + 3 ? scanned_ - 3 : begin_;
        const std::size_t end = input.find("\r\n\r\n", from);
        if (end == std::string_view::npos) {
            scanned_ = input.size();
            return rest.size() > max_head_bytes_ ? Fail("the head is too long") : State::kMore;
        }
        const std::size_t size = end + 2 - begin_;
        if (size + 2 > max_head_bytes_) return Fail("the head is too long");
        const State state = ParseHead(rest.substr(0, size));
        if (state == State::kFailed) return state;
        begin_ = scanned_ = consumed_ = end + 4;
        if (state == State::kDone) return state;
        if (++interim_heads_ > kMostInterimHeads) return Fail("too many interim answers");
        headers_->Clear();
    }
}

// `head` ends with its last line's CRLF. kMore: it was an interim one.
ResponseHeadParser::State ResponseHeadParser::ParseHead(std::string_view head) {
    bool first = true;
    while (!head.empty()) {
        const auto* found = static_cast<const char*>(std::memchr(head.data(), '\r', head.size()));
        if (found == nullptr) return Fail("bare line feed in the head");
        const auto size = static_cast<std::size_t>(found - head.data());
        if (size + 1 >= head.size() || head[size + 1] != '\n')
            return Fail("bare carriage return in the head");
        const std::string_view line = head.substr(0, size);
        if (first) {
            if (!ParseStatusLine(line)) return Fail("bad status line");
            first = false;
        } else if (!ParseField(line)) {
            return Fail("bad header line");
        }
        head.remove_prefix(size + 2);
    }
    if (status_ == 101) return Fail("an upgrade that was not asked for");
    if (status_ < 200) return State::kMore;
    return ReadFraming();
}

bool ResponseHeadParser::ParseStatusLine(std::string_view line) {
    constexpr std::size_t kShortest = sizeof("HTTP/1.1 200") - 1;
    if (line.size() < kShortest || (line[7] != '0' && line[7] != '1') || line[8] != ' ')
        return false;
    if (!IsDigit(line[9]) || !IsDigit(line[10]) || !IsDigit(line[11])) return false;
    if (line.size() > kShortest && line[kShortest] != ' ') return false;
    if (!IsFieldValue(line.substr(kShortest))) return false;
    http_1_0_ = line[7] == '0';
    status_ = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
    return status_ >= 100 && status_ <= 599;
}

bool ResponseHeadParser::ParseField(std::string_view line) {
    std::size_t colon = 0;
    while (colon < line.size() && kTokenCharacters[static_cast<unsigned char>(line[colon])])
        ++colon;
    // No name, a space before the colon, or a folded line.
    if (colon == 0 || colon == line.size() || line[colon] != ':') return false;
    const std::string_view value = Trim(line.substr(colon + 1));
    if (!IsFieldValue(value)) return false;
    if (headers_->size() >= kMostFields) return false;
    headers_->Add(line.substr(0, colon), value);
    return true;
}

ResponseHeadParser::State ResponseHeadParser::ReadFraming() {
    std::optional<std::uint64_t> length;
    int codings = 0;
    bool chunked = false;
    bool close = false;
    bool stay = false;
    for (std::size_t i = 0; i < headers_->size(); ++i) {
        const HeaderMap::Field field = (*headers_)[i];
        switch (field.name.size()) {
            case 10:
                if (!EqualsIgnoreCase(field.name, "connection")) break;
                close = close || ListHasToken(field.value, "close");
                stay = stay || ListHasToken(field.value, "keep-alive");
                break;
            case 14: {
                if (!EqualsIgnoreCase(field.name, "content-length")) break;
                const auto value = ParseLength(field.value);
                if (!value || (length && *length != *value)) return Fail("bad Content-Length");
                length = value;
                break;
            }
            case 17:
                if (!EqualsIgnoreCase(field.name, "transfer-encoding")) break;
                ++codings;
                chunked = EqualsIgnoreCase(field.value, "chunked");
                break;
            default:
                break;
        }
    }
    keep_alive_ = http_1_0_ ? stay && !close : !close;
    if (to_connect_ && status_ < 300) {
        framing_.kind = BodyFraming::Kind::kNone;
        return State::kDone;
    }
    if (to_head_ || status_ == 204 || status_ == 304) {
        framing_.kind = BodyFraming::Kind::kNone;
        return State::kDone;
    }
    if (codings > 0) {
        if (codings > 1 || !chunked || http_1_0_) return Fail("unknown Transfer-Encoding");
        if (length) return Fail("both Content-Length and Transfer-Encoding");
        framing_.kind = BodyFraming::Kind::kChunked;
    } else if (length) {
        framing_.kind = *length == 0 ? BodyFraming::Kind::kNone : BodyFraming::Kind::kLength;
        framing_.length = *length;
    } else {
        framing_.kind = BodyFraming::Kind::kUntilClose;
        keep_alive_ = false;
    }
    return State::kDone;
}

}  // namespace aim::http::client
