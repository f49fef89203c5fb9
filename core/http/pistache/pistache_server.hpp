#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/result.hpp"
#include "core/http/middleware.hpp"
#include "core/http/router.hpp"
#include "core/telemetry/log.hpp"

namespace aim::http::pistache {

struct ServerOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;  // 0: the system picks one, see PistacheServer::port()
    std::size_t threads = 4;
    std::size_t max_body_bytes = 8 * 1024 * 1024;
    std::size_t max_connections = 1024;
    // Between requests of a connection; above the 60 s for which nginx keeps its side.
    std::chrono::milliseconds idle_timeout{75000};
    // From the first byte of a request to its last. Time in a handler is not part of it.
    std::chrono::milliseconds receive_timeout{30000};
    // A reader that takes nothing of its answer for so long is given up.
    std::chrono::milliseconds write_timeout{5000};
    // How often the limits above are looked at.
    std::chrono::milliseconds scan_interval{500};
};

// Serves the plain handlers of a router on Pistache's listener and reactors: a handler runs on the
// reactor's own thread and may block it, so `threads` is the number of requests that are worked on
// at once. Keep-alive is HTTP/1.1's default, pipelined requests are answered in order. Router and
// chain outlive the server. A route with a stream handler is answered 501.
class PistacheServer {
  public:
    PistacheServer(const ServerOptions& options, const Router& router, const MiddlewareChain& chain,
                   telemetry::Logger& logger);
    ~PistacheServer();  // Stop()
    PistacheServer(const PistacheServer&) = delete;
    PistacheServer& operator=(const PistacheServer&) = delete;

    // Binds and serves from threads of its own, which take no signals. Fails when the address
    // cannot be had.
    Result<void> Start();

    // Valid after Start().
    std::uint16_t port() const;

    // From now on answers say "Connection: close" and idle connections are closed; new ones are
    // still served.
    void BeginDrain();
    std::size_t open_connections() const;

    // Ends the threads and closes every connection; a handler that is running is waited for.
    // Idempotent.
    void Stop();

  private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace aim::http::pistache
