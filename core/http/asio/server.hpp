#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/base/clock.hpp"
#include "core/base/loop.hpp"
#include "core/base/result.hpp"
#include "core/http/asio/body_budget.hpp"
#include "core/http/asio/server_options.hpp"
#include "core/http/asio/server_stats.hpp"
#include "core/http/middleware.hpp"
#include "core/http/router.hpp"

namespace aim::http {

class Listener;

// An HTTP/1.1 server over several loops: each has its own listening socket on the same port
// (SO_REUSEPORT), its own connections, and its own router, whose handlers may hold that loop's
// objects (upstream client, pipeline). The loops outlive the server. Start, Drain and Stop are
// called from one thread that is none of the loops'; port() and Totals() from any.
class Server {
  public:
    // Makes the router of a loop, on that loop's thread. What its handlers hold is released there
    // too.
    using RouterFactory = std::function<std::shared_ptr<const Router>(Loop&)>;

    // Binds and listens on all loops. An error names host and port; nothing is left open then.
    // `clock` outlives the server.
    static Result<std::unique_ptr<Server>> Start(EngineLoops& loops, const ServerOptions& options,
                                                 const RouterFactory& make_router,
                                                 std::shared_ptr<const MiddlewareChain> chain,
                                                 const Clock& clock = SystemClock());

    ~Server() { Stop(); }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    std::uint16_t port() const { return port_; }

    // From now on every answer says "Connection: close"; connections are still accepted and served.
    // Waits until no request has been under way for `drain_quiet`, at most `timeout`; then stops,
    // which cancels the rest. Returns how many requests were cut.
    std::size_t Drain(std::chrono::milliseconds timeout);

    // Cancels what is under way (kShutdown) and closes all connections; waits up to a second for
    // handlers to return. Idempotent.
    void Stop();

    ServerTotals Totals() const;

  private:
    Server(EngineLoops& loops, const ServerOptions& options) : loops_(loops), options_(options) {}

    EngineLoops& loops_;
    const ServerOptions options_;
    std::uint16_t port_ = 0;
    std::vector<std::shared_ptr<Listener>> listeners_;  // by loop
    std::vector<std::shared_ptr<const ServerStats>> stats_;
    std::shared_ptr<BodyBudget> bodies_;
    bool stopped_ = false;
};

}  // namespace aim::http
