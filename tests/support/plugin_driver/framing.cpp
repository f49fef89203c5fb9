#include "tests/support/plugin_driver/framing.hpp"

#include <utility>

#include "aim/abi/aim_abi.h"

namespace aim::plugin_driver {

std::vector<Framer::Piece> Framer::Feed(std::string_view bytes) {
    std::vector<Piece> out;
    if (framing_ == AIM_FRAMING_RAW) {
        out.push_back({std::string(bytes), {}, {}});
        return out;
    }
    if (framing_ == AIM_FRAMING_WHOLE) {
        pending_ += bytes;
        return out;
    }
    for (const char c : bytes) {
        const bool ends_pair = c == '\n' && std::exchange(after_carriage_return_, false);
        if (ends_pair) {
            continue;
        }
        after_carriage_return_ = c == '\r';
        if (c == '\n' || c == '\r') {
            Line(std::exchange(pending_, {}), out);
        } else {
            pending_.push_back(c);
        }
    }
    return out;
}

std::vector<Framer::Piece> Framer::Finish(bool complete) {
    std::vector<Piece> out;
    const bool keeps_rest =
        framing_ == AIM_FRAMING_WHOLE || (framing_ == AIM_FRAMING_JSON_LINES && complete);
    if (keeps_rest && !pending_.empty()) {
        out.push_back({std::exchange(pending_, {}), {}, {}});
    }
    return out;
}

void Framer::Line(std::string_view line, std::vector<Piece>& out) {
    if (framing_ == AIM_FRAMING_JSON_LINES) {
        if (!line.empty()) {
            out.push_back({std::string(line), {}, {}});
        }
        return;
    }
    if (line.empty()) {
        if (has_data_) {
            out.push_back(event_);
        }
        has_data_ = false;
        event_.data.clear();
        event_.event.clear();
        return;
    }
    const std::size_t colon = line.find(':');
    const std::string_view field = line.substr(0, colon);
    std::string_view value = colon == line.npos ? std::string_view() : line.substr(colon + 1);
    if (!value.empty() && value.front() == ' ') {
        value.remove_prefix(1);
    }
    if (field == "data") {
        event_.data += has_data_ ? "\n" : "";
        event_.data += value;
        has_data_ = true;
    } else if (field == "event") {
        event_.event = value;
    } else if (field == "id") {
        event_.id = value;
    }
}

}  // namespace aim::plugin_driver
