#pragma once

#include <memory>

#include <pistache/tcp.h>
#include <pistache/transport.h>

#include "core/http/pistache/session.hpp"

namespace aim::http::pistache {

// Pistache's view of our sessions: hands bytes to the peer's session. A copy for each reactor
// thread (cloned by Pistache); what they share is the context, which outlives them.
class SessionHandler final : public Pistache::Tcp::Handler {
    PROTOTYPE_OF(Pistache::Tcp::Handler, SessionHandler)

  public:
    explicit SessionHandler(ServerContext& context) : context_(&context) {}

    void onConnection(const std::shared_ptr<Pistache::Tcp::Peer>& peer) override;
    void onInput(const char* buffer, size_t length,
                 const std::shared_ptr<Pistache::Tcp::Peer>& peer) override;
    void onDisconnection(const std::shared_ptr<Pistache::Tcp::Peer>& peer) override;

  private:
    ServerContext* context_;
};

// A reactor's transport with a timer beside it, for our own time limits. Pistache's own scan (only
// Http::Endpoint has it) also cuts requests that a handler is working on; this one runs on the
// thread that the handlers run on, so it cannot.
class ReactorTransport final : public Pistache::Tcp::Transport {
  public:
    ReactorTransport(ServerContext& context,
                     const std::shared_ptr<Pistache::Tcp::Handler>& handler);
    ~ReactorTransport() override;

    void registerPoller(Pistache::Polling::Epoll& poller) override;
    void onReady(const Pistache::Aio::FdSet& ready) override;
    std::shared_ptr<Pistache::Aio::Handler> clone() const override;

  private:
    void Scan();

    ServerContext& context_;
    std::shared_ptr<Pistache::Tcp::Handler> prototype_;
    int timer_ = -1;
};

}  // namespace aim::http::pistache
