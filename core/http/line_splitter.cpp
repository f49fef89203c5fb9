#include "core/http/line_splitter.hpp"

#include <algorithm>
#include <cstring>

namespace aim::http {
namespace {

std::size_t FindByte(std::string_view text, std::size_t from, std::size_t to, char byte) {
    if (from >= to) return to;
    const void* found = std::memchr(text.data() + from, byte, to - from);
    return found == nullptr
               ? to
               : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

}  // namespace

void LineSplitter::Push(std::string_view bytes) {
    input_ = bytes;
    at_ = 0;
    lf_known_ = false;
}

std::optional<std::string_view> LineSplitter::Fail() {
    failed_ = true;
    carry_live_ = false;
    carry_.clear();
    return std::nullopt;
}

std::optional<std::string_view> LineSplitter::Next() {
    if (failed_) return std::nullopt;
    last_was_carried_ = false;
    if (skip_lf_ && at_ < input_.size()) {
        skip_lf_ = false;
        if (input_[at_] == '\n') ++at_;
    }
    // Found once for many lines when the stream uses CR alone: no byte is looked at twice for the
    // same end.
    if (!lf_known_ || next_lf_ < at_) {
        next_lf_ = FindByte(input_, at_, input_.size(), '\n');
        lf_known_ = true;
    }
    std::size_t end = next_lf_;
    if (lone_cr_) end = FindByte(input_, at_, end, '\r');
    if (end < input_.size()) return Emit(end);

    const std::string_view tail = input_.substr(at_);
    at_ = input_.size();
    if (!carry_live_) carry_.clear();
    if (tail.empty()) return std::nullopt;
    carry_live_ = true;
    carry_.append(tail);
    // One more for a CR that may turn out to belong to the end of the line.
    if (carry_.size() > max_line_ + (!lone_cr_ && carry_.back() == '\r' ? 1 : 0)) return Fail();
    return std::nullopt;
}

std::optional<std::string_view> LineSplitter::Emit(std::size_t end) {
    std::string_view line = input_.substr(at_, end - at_);
    skip_lf_ = input_[end] == '\r';
    at_ = end + 1;
    if (carry_live_) {
        carry_.append(line);
        line = carry_;
        carry_live_ = false;
        last_was_carried_ = true;
    }
    if (!lone_cr_ && !line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.size() > max_line_) return Fail();
    return line;
}

}  // namespace aim::http
