#include "core/http/asio/server.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "core/http/asio/listener.hpp"
#include "core/http/asio/listening_socket.hpp"

namespace aim::http {
namespace {

constexpr std::chrono::milliseconds kPoll{2};
constexpr std::chrono::seconds kStopWait{1};

}  // namespace

Result<std::unique_ptr<Server>> Server::Start(EngineLoops& loops, const ServerOptions& options,
                                              const RouterFactory& make_router,
                                              std::shared_ptr<const MiddlewareChain> chain,
                                              const Clock& clock) {
    std::unique_ptr<Server> server(new Server(loops, options));
    std::vector<ListeningSocket> sockets;
    for (std::size_t i = 0; i < loops.size(); ++i) {
        const bool first = i == 0;
        auto socket = ListeningSocket::Open(options.host, first ? options.port : server->port_,
                                            options.backlog, first);
        if (!socket) return Unexpected(socket.error());
        server->port_ = socket->port();
        sockets.push_back(std::move(*socket));
    }
    const auto connections = std::make_shared<std::atomic<std::size_t>>(0);
    server->bodies_ = std::make_shared<BodyBudget>(options.bodies_bytes);
    if (!chain) chain = std::make_shared<const MiddlewareChain>();
    for (std::size_t i = 0; i < loops.size(); ++i) {
        Loop& loop = loops[i];
        loop.Run([&] {
            auto environment =
                std::make_shared<SessionEnvironment>(loop, options, server->bodies_, clock);
            environment->router = make_router(loop);
            environment->chain = chain;
            const int family = sockets[i].family();
            server->stats_.push_back(environment->stats);
            server->listeners_.push_back(std::make_shared<Listener>(
                std::move(environment), sockets[i].Release(), family, connections));
        });
    }
    // All routers are there before the first request.
    for (std::size_t i = 0; i < loops.size(); ++i) {
        loops[i].Run([&] { server->listeners_[i]->Start(); });
    }
    return server;
}

std::size_t Server::Drain(std::chrono::milliseconds timeout) {
    using Time = std::chrono::steady_clock;
    if (stopped_) return 0;
    for (std::size_t i = 0; i < listeners_.size(); ++i) {
        loops_[i].Run([&] { listeners_[i]->Drain(); });
    }
    const auto deadline = Time::now() + timeout;
    auto quiet_since = Time::now();
    std::uint64_t seen = Totals().requests;
    ServerTotals totals;
    for (;;) {
        totals = Totals();
        const auto now = Time::now();
        if (totals.requests_in_flight > 0 || totals.requests != seen) quiet_since = now;
        seen = totals.requests;
        if (now - quiet_since >= options_.drain_quiet || now >= deadline) break;
        std::this_thread::sleep_for(kPoll);
    }
    Stop();
    return totals.requests_in_flight;
}

void Server::Stop() {
    if (stopped_) return;
    stopped_ = true;
    for (std::size_t i = 0; i < listeners_.size(); ++i) {
        loops_[i].Run([&] { listeners_[i]->Stop(Cancellation::Reason::kShutdown); });
    }
    const auto deadline = std::chrono::steady_clock::now() + kStopWait;
    for (std::size_t i = 0; i < listeners_.size(); ++i) {
        std::size_t left = 0;
        do {
            loops_[i].Run([&] { left = listeners_[i]->sessions(); });
            if (left > 0 && loops_[i].running()) std::this_thread::sleep_for(kPoll);
        } while (left > 0 && loops_[i].running() && std::chrono::steady_clock::now() < deadline);
        // A handler that hears no cancellation keeps its session, and with it all that the session
        // holds, until it returns.
        if (left > 0) loops_[i].Run([&] { listeners_[i]->Abandon(); });
    }
    // What belongs to a loop is released on it.
    for (std::size_t i = 0; i < listeners_.size(); ++i) {
        loops_[i].Run([&] { listeners_[i].reset(); });
    }
}

ServerTotals Server::Totals() const {
    ServerTotals totals;
    for (const auto& stats : stats_) totals.Add(*stats);
    totals.bodies_bytes = bodies_->taken();
    return totals;
}

}  // namespace aim::http
