#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "core/http/client/proxy.hpp"

namespace aim::http::client {

// Bounds of a client's pool of connections; each holds for one client, that is, for one loop.
struct PoolLimits {
    std::size_t connections_per_origin = 512;  // connecting, in use and idle
    std::size_t waiters_per_origin = 1024;     // exchanges queued for one; then kOverloaded
    std::size_t idle_per_origin = 64;
    std::size_t origins = 1024;  // unused ones are forgotten first; then kOverloaded
    std::chrono::milliseconds idle_age{55'000};  // below the 60 s after which many servers close
    std::chrono::milliseconds connection_age{300'000};  // so that a changed address is seen
    std::chrono::milliseconds origin_age{
        600'000};  // an origin without connections is forgotten, with its TLS session
};

struct ClientOptions {
    PoolLimits pool;
    // A request on a reused connection that ends without one byte of an answer within this time hit
    // a connection that was just being closed, and is sent once more on a fresh one. After it the
    // provider may have worked on it.
    std::chrono::milliseconds resend_window{2'000};
    std::chrono::milliseconds connect_stagger{
        250};                              // between the attempts at several addresses (RFC 8305)
    std::string user_agent = "aimanager";  // when the request names none
    ProxyOptions proxy;
};

}  // namespace aim::http::client
