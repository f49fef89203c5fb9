// Any bytes are an event stream of some kind: the parser neither crashes nor depends on how the
// stream was split.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "core/http/sse_parser.hpp"

namespace {

using aim::http::SseParser;

struct Outcome {
    std::vector<std::string> events;
    bool truncated = false;
    bool failed = false;
    std::uint64_t comments = 0;
    std::int64_t retry = -1;
    bool operator==(const Outcome&) const = default;
};

// `next_size` gives the size of the next piece.
template <typename NextSize>
Outcome Parse(std::string_view stream, bool flush, NextSize&& next_size) {
    SseParser::Limits limits;
    limits.max_line = 64;
    limits.max_event = 96;
    SseParser parser(limits);
    Outcome outcome;
    const auto write = [&](const SseParser::Event& event) {
        outcome.events.push_back(std::string(event.event) + '\x01' + std::string(event.data) +
                                 '\x01' + std::string(event.id));
    };
    while (!stream.empty()) {
        const std::string_view piece = stream.substr(0, next_size());
        // A copy of its own size, so that the address sanitizer sees a view that outlives it.
        const std::vector<char> copy(piece.begin(), piece.end());
        parser.Push({copy.data(), copy.size()});
        while (const auto event = parser.Next()) write(*event);
        stream.remove_prefix(piece.size());
    }
    const SseParser::End end = parser.Finish(flush);
    if (end.event) write(*end.event);
    outcome.truncated = end.truncated;
    outcome.failed = parser.failed();
    outcome.comments = parser.comments();
    if (parser.retry()) outcome.retry = parser.retry()->count();
    return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    const std::uint8_t seed = data[0];
    const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
    const bool flush = (seed & 1) != 0;
    const Outcome whole = Parse(stream, flush, [&] { return stream.size(); });
    if (Parse(stream, flush, [] { return std::size_t{1}; }) != whole) std::abort();
    std::uint32_t state = seed * 2654435761u + 1;
    const auto random_size = [&state] {
        state = state * 1664525u + 1013904223u;
        return std::size_t{1} + (state >> 24) % 13;
    };
    if (Parse(stream, flush, random_size) != whole) std::abort();
    return 0;
}
