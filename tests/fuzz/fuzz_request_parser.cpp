// Requests out of any bytes: the parser must come to the same requests, or the same refusal,
// however the bytes are cut, and what it accepts must keep its promises. The first byte says how to
// cut.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/http/request_parser.hpp"

namespace {

using aim::http::Request;
using aim::http::RequestParser;
using Status = RequestParser::Status;

void Require(bool condition) {
    if (!condition) std::abort();
}

RequestParser::Limits SmallLimits() {
    RequestParser::Limits limits;
    limits.head_bytes = 2048;
    limits.header_count = 16;
    limits.body_bytes = 4096;
    limits.chunk_line_bytes = 64;
    limits.chunk_extension_bytes = 128;
    limits.trailer_bytes = 128;
    return limits;
}

void CheckRequest(const Request& request) {
    Require(!request.target.empty() && (request.target.front() == '/' || request.target == "*"));
    Require(request.body.size() <= 4096 && request.headers.size() <= 16);
    int lengths = 0;
    int codings = 0;
    for (std::size_t i = 0; i < request.headers.size(); ++i) {
        const auto field = request.headers[i];
        Require(!field.name.empty());
        Require(field.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
        lengths += aim::http::EqualsIgnoreCase(field.name, "content-length") ? 1 : 0;
        codings += aim::http::EqualsIgnoreCase(field.name, "transfer-encoding") ? 1 : 0;
    }
    Require(lengths + codings <= 1);
    if (lengths + codings == 0) Require(request.body.empty());
}

// All that matters of what came out, as text.
std::string Run(std::string_view bytes, std::size_t step) {
    std::string seen;
    RequestParser parser(SmallLimits());
    Request request;
    std::string pending;
    while (!bytes.empty()) {
        pending.append(bytes.substr(0, step));
        bytes.remove_prefix(std::min(step, bytes.size()));
        for (;;) {
            std::string_view input = pending;
            const std::size_t before = input.size();
            const Status status = parser.Parse(input, request);
            Require(input.size() <= before);
            pending.erase(0, before - input.size());
            if (status == Status::kNeedMore) break;
            if (status == Status::kRefused) {
                Require(parser.refused() && parser.refusal().status >= 400);
                return seen + "refused " + std::to_string(parser.refusal().status);
            }
            if (status == Status::kHead) continue;
            CheckRequest(request);
            seen += std::string(MethodName(request.method)) + request.target + "\n" + request.body +
                    "\n";
            for (std::size_t i = 0; i < request.headers.size(); ++i) {
                seen.append(request.headers[i].name)
                    .append("=")
                    .append(request.headers[i].value)
                    .append("\n");
            }
            seen += parser.keep_alive() ? "keep\n" : "close\n";
            parser.Reset();
            request.Clear();
            if (pending.empty()) break;
        }
        // What a connection has to keep is bounded.
        Require(pending.size() <= 2048);
    }
    return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const std::size_t step = 1 + data[0] % 32;
    const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
    // A refusal comes at the same place in every cut, but for limits on lines whose end has not
    // come: those may be told earlier.
    Require(Run(bytes, 1) == Run(bytes, step));
    Require(Run(bytes, step) == Run(bytes, 7));
    return 0;
}
