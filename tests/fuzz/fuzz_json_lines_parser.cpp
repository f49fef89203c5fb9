// Any bytes are lines of some kind: the parser neither crashes nor depends on how the stream was
// split.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "core/http/json_lines_parser.hpp"

namespace {

template <typename NextSize>
std::vector<std::string> Parse(std::string_view stream, NextSize&& next_size) {
    aim::http::JsonLinesParser parser(64);
    std::vector<std::string> texts;
    const auto drain = [&] {
        while (const auto text = parser.Next()) texts.emplace_back(*text);
    };
    while (!stream.empty()) {
        const std::string_view piece = stream.substr(0, next_size());
        const std::vector<char> copy(piece.begin(), piece.end());
        parser.Push({copy.data(), copy.size()});
        drain();
        stream.remove_prefix(piece.size());
    }
    parser.Finish();
    drain();
    if (parser.failed())
        texts.emplace_back(
            "\x01"
            "failed");
    return texts;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto whole = Parse(stream, [&] { return stream.size(); });
    if (Parse(stream, [] { return std::size_t{1}; }) != whole) std::abort();
    std::uint32_t state = data[0] * 2654435761u + 1;
    const auto random_size = [&state] {
        state = state * 1664525u + 1013904223u;
        return std::size_t{1} + (state >> 24) % 13;
    };
    if (Parse(stream, random_size) != whole) std::abort();
    return 0;
}
