#include "tests/bench/response_reader.hpp"

#include <algorithm>
#include <charconv>

#include <strings.h>

namespace aim::bench {
namespace {

constexpr std::size_t kMaxHeadBytes = std::size_t{64} << 10;

bool NameIs(std::string_view line, std::string_view name) {
    return line.size() > name.size() && line[name.size()] == ':' &&
           strncasecmp(line.data(), name.data(), name.size()) == 0;
}

std::string_view ValueOf(std::string_view line) {
    line.remove_prefix(line.find(':') + 1);
    while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
    return line;
}

}  // namespace

void ResponseReader::Restart() { *this = ResponseReader(); }

void ResponseReader::End() {
    if (state_ == State::kDone) return;
    state_ = state_ == State::kBody && until_close_ ? State::kDone : State::kBroken;
}

void ResponseReader::ReadHead(std::string_view head) {
    bool has_length = false;
    chunk_ = Chunk::kNone;
    left_ = 0;
    keep_alive_ = head.starts_with("HTTP/1.1");
    status_ = 0;
    if (!head.starts_with("HTTP/1.") || head.size() < 12) {
        state_ = State::kBroken;
        return;
    }
    std::from_chars(head.data() + 9, head.data() + 12, status_);
    for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
        const std::size_t end = std::min(head.find("\r\n", at), head.size());
        const std::string_view line = head.substr(at, end - at);
        at = end + 2;
        if (NameIs(line, "content-length")) {
            const std::string_view value = ValueOf(line);
            has_length =
                std::from_chars(value.data(), value.data() + value.size(), left_).ec == std::errc();
        } else if (NameIs(line, "transfer-encoding")) {
            chunk_ = Chunk::kSize;
        } else if (NameIs(line, "connection")) {
            keep_alive_ = strncasecmp(ValueOf(line).data(), "close", 5) != 0;
        }
    }
    if (status_ >= 100 && status_ < 200) {  // an interim response; the real one follows
        head_.clear();
        return;
    }
    until_close_ = !has_length && chunk_ == Chunk::kNone && status_ != 204 && status_ != 304;
    const bool empty = chunk_ == Chunk::kNone && !until_close_ && left_ == 0;
    state_ = empty ? State::kDone : State::kBody;
}

std::size_t ResponseReader::FeedHead(std::string_view bytes) {
    const std::size_t before = head_.size();
    head_.append(bytes);
    const std::size_t end = head_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
    if (end == std::string::npos) {
        if (head_.size() > kMaxHeadBytes) state_ = State::kBroken;
        return bytes.size();
    }
    const std::size_t taken = end + 4 - before;
    ReadHead(std::string_view(head_).substr(0, end + 2));
    return taken;
}

std::size_t ResponseReader::FeedChunked(std::string_view bytes, std::string* body) {
    std::size_t at = 0;
    while (at < bytes.size() && state_ == State::kBody) {
        if (chunk_ == Chunk::kData) {
            const std::size_t size =
                static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size() - at));
            if (body != nullptr) body->append(bytes.substr(at, size));
            left_ -= size;
            at += size;
            if (left_ == 0) chunk_ = Chunk::kDataEnd;
            continue;
        }
        const char byte = bytes[at++];
        if (byte != '\n') {
            if (byte != '\r') line_.push_back(byte);
            if (line_.size() > kMaxHeadBytes) state_ = State::kBroken;
            continue;
        }
        if (chunk_ == Chunk::kDataEnd) {
            if (!line_.empty()) state_ = State::kBroken;
            chunk_ = Chunk::kSize;
        } else if (chunk_ == Chunk::kSize) {
            const auto read = std::from_chars(line_.data(), line_.data() + line_.size(), left_, 16);
            if (read.ec != std::errc()) state_ = State::kBroken;
            chunk_ = left_ == 0 ? Chunk::kTrailer : Chunk::kData;
        } else if (line_.empty()) {
            state_ = State::kDone;
        }
        line_.clear();
    }
    return at;
}

std::size_t ResponseReader::Feed(std::string_view bytes, std::string* body) {
    std::size_t at = 0;
    while (state_ == State::kHead && at < bytes.size()) at += FeedHead(bytes.substr(at));
    if (state_ != State::kBody || at == bytes.size()) return at;
    const std::string_view rest = bytes.substr(at);
    if (chunk_ != Chunk::kNone) return at + FeedChunked(rest, body);
    const std::size_t size =
        until_close_ ? rest.size()
                     : static_cast<std::size_t>(std::min<std::uint64_t>(left_, rest.size()));
    if (body != nullptr) body->append(rest.substr(0, size));
    if (!until_close_) left_ -= size;
    if (!until_close_ && left_ == 0) state_ = State::kDone;
    return at + size;
}

}  // namespace aim::bench
