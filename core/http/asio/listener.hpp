#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <unordered_set>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <sys/socket.h>

#include "core/base/loop.hpp"
#include "core/http/asio/session.hpp"

namespace aim::http {

// One loop's part of a server: accepts connections and keeps track of their sessions. Used on its
// loop's thread.
class Listener final : public std::enable_shared_from_this<Listener> {
  public:
    // `connections` counts those of all loops. Takes over `listening_socket`.
    Listener(std::shared_ptr<SessionEnvironment> environment, int listening_socket, int family,
             std::shared_ptr<std::atomic<std::size_t>> connections);

    void Start() { WaitForConnections(); }
    void Drain() { environment_->draining = true; }
    // No more connections; those that are there are stopped. Sessions end when their handlers do.
    void Stop(Cancellation::Reason reason);
    // The loop will not run any more.
    void Abandon();

    std::size_t sessions() const { return sessions_.size(); }

  private:
    using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, Executor>;
    class Membership;

    void WaitForConnections();
    void AcceptSome();
    void Serve(int socket, const sockaddr_storage& peer);
    static Task<> RunSession(std::unique_ptr<Membership> membership);

    const std::shared_ptr<SessionEnvironment> environment_;
    const std::shared_ptr<std::atomic<std::size_t>> connections_;
    Acceptor acceptor_;
    TimerQueue::Timer retry_;
    std::unordered_set<Session*> sessions_;
};

}  // namespace aim::http
