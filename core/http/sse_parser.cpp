#include "core/http/sse_parser.hpp"

#include <charconv>

namespace aim::http {

SseParser::SseParser(Limits limits) : limits_(limits), lines_(limits.max_line, true) {}

void SseParser::StartEvent() {
    dispatched_ = false;
    has_data_ = false;
    data_kept_ = false;
    data_view_ = {};
    event_.clear();
}

SseParser::Event SseParser::MakeEvent() {
    dispatched_ = true;
    Event event;
    event.data = data_kept_ ? std::string_view(data_).substr(data_at_) : data_view_;
    event.event = event_;
    event.id = id_;
    return event;
}

std::optional<SseParser::Event> SseParser::Next() {
    if (dispatched_) StartEvent();
    if (failed_) return std::nullopt;
    while (const auto line = lines_.Next()) {
        if (line->empty() && !first_line_) {
            if (has_data_) return MakeEvent();
            StartEvent();
            continue;
        }
        OnLine(*line);
        if (failed_) return std::nullopt;
    }
    // The input goes away now; what has come of the event stays.
    if (has_data_ && !data_kept_) KeepData();
    return std::nullopt;
}

SseParser::End SseParser::Finish(bool flush) {
    if (dispatched_) StartEvent();
    End end;
    if (failed()) return end;
    const std::string_view rest = lines_.rest();
    if (!rest.empty() && rest.front() != ':') {
        end.truncated = true;
        if (flush) OnLine(rest);
    }
    end.truncated = end.truncated || has_data_ || !event_.empty();
    if (flush && has_data_ && !failed_) end.event = MakeEvent();
    return end;
}

void SseParser::KeepData() {
    data_.assign(data_view_);
    data_at_ = 0;
    data_kept_ = true;
}

void SseParser::OnLine(std::string_view line) {
    if (first_line_) {
        first_line_ = false;
        constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
        if (line.substr(0, kByteOrderMark.size()) == kByteOrderMark)
            line.remove_prefix(kByteOrderMark.size());
        if (line.empty()) return;
    }
    const std::size_t colon = line.find(':');
    if (colon == 0) {
        ++comments_;
        return;
    }
    const std::string_view field = line.substr(0, colon);
    std::string_view value =
        colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
    if (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    if (field == "data") {
        OnData(line, value);
    } else if (field == "event") {
        event_.assign(value);
    } else if (field == "id") {
        if (value.find('\0') == std::string_view::npos) id_.assign(value);
    } else if (field == "retry") {
        std::int64_t milliseconds = 0;
        const auto [end, error] =
            std::from_chars(value.data(), value.data() + value.size(), milliseconds);
        if (error == std::errc() && end == value.data() + value.size() && milliseconds >= 0) {
            retry_ = std::chrono::milliseconds(milliseconds);
        }
    }
}

void SseParser::OnData(std::string_view line, std::string_view value) {
    if (has_data_) {
        if (!data_kept_) KeepData();
        if (data_.size() - data_at_ + 1 + value.size() > limits_.max_event) {
            failed_ = true;
            return;
        }
        data_.push_back('\n');
        data_.append(value);
        return;
    }
    if (value.size() > limits_.max_event) {
        failed_ = true;
        return;
    }
    has_data_ = true;
    if (!lines_.last_was_carried()) {
        data_view_ = value;
        return;
    }
    // A line put together from several reads, perhaps megabytes of an image: change its owner
    // instead of copying it.
    const std::size_t value_at =
        value.empty() ? line.size() : static_cast<std::size_t>(value.data() - line.data());
    const std::size_t line_at = static_cast<std::size_t>(line.data() - lines_.carried().data());
    lines_.SwapCarry(data_);
    data_at_ = line_at + value_at;
    data_kept_ = true;
}

}  // namespace aim::http
