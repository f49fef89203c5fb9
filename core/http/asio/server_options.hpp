#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/http/request_parser.hpp"

namespace aim::http {

// The named limits of a server. None bounds how long a handler may take: that is the handler's own
// deadline.
struct ServerOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;  // 0: the system chooses one
    int backlog = 1024;
    std::size_t max_connections = 20000;  // of all loops; one more is accepted and closed

    RequestParser::Limits request;
    // Of all bodies over BodyShare::kSmallBody together, from their first byte to the end of the
    // answer, over all loops; one that finds no room gets 503 `overloaded`.
    std::size_t bodies_bytes = 512 * 1024 * 1024;
    // What a client may send ahead while its answer is pending; beyond it the connection is no
    // longer watched until the answer is out.
    std::size_t pipeline_bytes = 64 * 1024;
    // A refused request's body up to this size is read, so that the connection can be kept.
    std::size_t discard_bytes = 64 * 1024;

    std::chrono::milliseconds idle_timeout{75'000};  // between requests: above nginx's 60 s
    std::chrono::milliseconds head_timeout{10'000};  // from a head's first byte to its last
    std::chrono::milliseconds body_stall{15'000};    // between two pieces of a body
    std::chrono::milliseconds body_timeout{
        60'000};  // for a whole body, longer for as much as arrives at the rate below
    std::size_t body_bytes_per_second = 16 * 1024;
    std::chrono::milliseconds write_stall{
        60'000};  // a client that takes nothing for this long counts as gone
    std::chrono::milliseconds linger_timeout{
        5'000};  // after an early error, for the client to read it
    std::size_t linger_bytes = 64 * 1024 * 1024;
    std::chrono::milliseconds drain_quiet{
        250};  // without a request, before a drain believes that none comes

    // Told of exceptions that handlers let escape. Any loop's thread.
    std::function<void(std::string_view request_id, std::string_view what)> on_exception;
};

}  // namespace aim::http
