// The fake provider's reading of HTTP/1.1 requests: small and fast, for well-behaved clients.
//
// The gateway under test is the client here, so what it sends wrongly must show: a malformed head
// is an error, never guessed at.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aim::testing {

inline constexpr std::size_t kMaxHeadBytes = std::size_t{256} << 10;
inline constexpr std::size_t kMaxBodyBytes = std::size_t{64} << 20;

struct HttpRequest {
    std::string_view method;
    std::string_view target;
    std::vector<std::pair<std::string_view, std::string_view>> headers;
    std::string_view body;
    std::string_view script_header;  // x-fake-script
    bool http11 = true;
    bool keep_alive = true;
    bool expects_continue = false;
    std::size_t bytes = 0;     // of the input that this request took
    std::string decoded_body;  // holds the body of a chunked request
};

enum class RequestState { kIncomplete, kComplete, kMalformed };

// Reads one request from the front of `input`; the views point into it. When incomplete, `needed`
// is the size of the input below which another try is useless, and `expects_continue` is valid once
// the head is there.
RequestState ReadHttpRequest(std::string_view input, HttpRequest* request, std::size_t* needed);

bool EqualNoCase(std::string_view a, std::string_view b);

}  // namespace aim::testing
