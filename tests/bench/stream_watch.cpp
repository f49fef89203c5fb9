#include "tests/bench/stream_watch.hpp"

#include <algorithm>
#include <charconv>

namespace aim::bench {
namespace {

// What follows the quote of the event's text; empty when it has none, or an empty one.
std::string_view ContentOf(std::string_view event) {
    constexpr std::string_view kContent = "\"content\":\"";
    const std::size_t at = event.find(kContent);
    if (at == std::string_view::npos) return {};
    const std::string_view rest = event.substr(at + kContent.size());
    return rest.empty() || rest.front() == '"' ? std::string_view() : rest;
}

// The deltas of the benchmark's streams say which one they are: "token 017 ".
bool IsNumber(std::string_view content, std::size_t position) {
    constexpr std::string_view kToken = "token ";
    if (!content.starts_with(kToken)) return true;
    content.remove_prefix(kToken.size());
    std::size_t number = 0;
    const auto read = std::from_chars(content.data(), content.data() + content.size(), number);
    return read.ec == std::errc() && number == position;
}

}  // namespace

void StreamWatch::Begin(Time asked_at, const Nonce& nonce) {
    *this = StreamWatch();
    asked_at_ = asked_at;
    nonce_ = nonce;
}

void StreamWatch::Look(Time now, const StreamRules& rules, Latencies* lateness) {
    std::size_t at = 0;
    for (std::size_t end = 0; (end = buffer_.find("\n\n", at)) != std::string::npos; at = end + 2) {
        const std::string_view event = std::string_view(buffer_).substr(at, end - at);
        if (event.starts_with("data: [DONE]")) terminated_ = true;
        const std::string_view content = ContentOf(event);
        if (!content.empty()) OnDelta(event, content, now, rules, lateness);
    }
    buffer_.erase(0, at);
}

void StreamWatch::OnDelta(std::string_view event, std::string_view content, Time now,
                          const StreamRules& rules, Latencies* lateness) {
    if (!nonce_seen_) nonce_seen_ = !rules.marked || Holds(event, nonce_);
    if (!IsNumber(content, deltas_)) in_order_ = false;
    if (deltas_ == 0) {
        first_delta_ = now - asked_at_;
    } else {
        const Time::duration gap = now - last_;
        longest_gap_ = std::max(longest_gap_, gap);
        if (gap > rules.stall) ++stalls_;
    }
    last_ = now;
    ++deltas_;
    if (rules.pace.count() == 0) return;
    const Time::duration behind =
        now - (asked_at_ + rules.pace * static_cast<std::int64_t>(deltas_));
    if (behind > rules.late) ++late_;
    lateness->Add(behind);
}

bool StreamWatch::Complete(const StreamRules& rules) const {
    return terminated_ && in_order_ && nonce_seen_ && deltas_ == rules.deltas;
}

}  // namespace aim::bench
