// Any bytes may come back from an upstream: head and body parsers neither crash nor depend on how
// the answer was split, and body pieces lie inside the input.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "core/http/client/body_decoder.hpp"
#include "core/http/client/response_head.hpp"

namespace {

using aim::http::HeaderMap;
using aim::http::client::BodyDecoder;
using aim::http::client::ResponseHeadParser;

template <typename NextSize>
std::string Parse(std::string_view stream, bool to_head, NextSize&& next_size) {
    HeaderMap headers;
    ResponseHeadParser head;
    head.Start(headers, 512, to_head);
    std::string input;
    std::string outcome;
    bool in_body = false;
    BodyDecoder body;
    while (!stream.empty()) {
        const std::string_view piece = stream.substr(0, next_size());
        stream.remove_prefix(piece.size());
        input.append(piece);
        if (!in_body) {
            const auto state = head.Parse(input);
            if (state == ResponseHeadParser::State::kFailed) return "bad head";
            if (state == ResponseHeadParser::State::kMore) continue;
            input.erase(0, head.consumed());
            in_body = true;
            outcome = std::to_string(head.status()) + (head.keep_alive() ? "k" : "c");
            for (std::size_t i = 0; i < headers.size(); ++i) {
                outcome += std::string(headers[i].name) + ":" + std::string(headers[i].value) + ";";
            }
            body.Start(head.framing());
        }
        const auto step = body.Decode(input);
        if (step.consumed > input.size() || step.data.size() > step.consumed) std::abort();
        outcome.append(step.data.data(), step.data.size());
        input.erase(0, step.consumed);
        if (body.failed()) return outcome + "|bad body";
        if (body.done()) return outcome + "|done";
        if (!input.empty()) std::abort();  // an unfinished body takes everything
    }
    if (!in_body) return "cut head";
    return outcome + (body.Finish() ? "|done" : "|cut");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    const bool to_head = data[0] % 16 == 0;
    const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
    const std::string whole = Parse(stream, to_head, [&] { return stream.size(); });
    if (Parse(stream, to_head, [] { return std::size_t{1}; }) != whole) std::abort();
    std::uint32_t state = data[0] * 2654435761u + 1;
    const auto random_size = [&state] {
        state = state * 1664525u + 1013904223u;
        return std::size_t{1} + (state >> 24) % 13;
    };
    if (Parse(stream, to_head, random_size) != whole) std::abort();
    return 0;
}
