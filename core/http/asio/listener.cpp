#include "core/http/asio/listener.hpp"

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <netinet/in.h>
#include <unistd.h>

namespace aim::http {
namespace {

using boost::asio::ip::tcp;

// A burst does not keep the loop from the connections that it has.
constexpr int kAcceptsAtOnce = 64;
constexpr std::chrono::milliseconds kAcceptRetry{100};

tcp Protocol6Or4(int family) { return family == AF_INET6 ? tcp::v6() : tcp::v4(); }

std::string AddressText(const sockaddr_storage& peer) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (peer.ss_family == AF_INET) {
        const auto& address = reinterpret_cast<const sockaddr_in&>(peer);
        ::inet_ntop(AF_INET, &address.sin_addr, text.data(), text.size());
    } else if (peer.ss_family == AF_INET6) {
        const auto& address = reinterpret_cast<const sockaddr_in6&>(peer);
        if (IN6_IS_ADDR_V4MAPPED(&address.sin6_addr)) {
            ::inet_ntop(AF_INET, &address.sin6_addr.s6_addr[12], text.data(), text.size());
        } else {
            ::inet_ntop(AF_INET6, &address.sin6_addr, text.data(), text.size());
        }
    }
    return text.data();
}

}  // namespace

// A session and its place in the books, however its coroutine ends.
class Listener::Membership {
  public:
    Membership(std::shared_ptr<Listener> listener, Connection::Socket socket, std::string address)
        : listener_(std::move(listener)),
          session_(listener_->environment_, std::move(socket), std::move(address)) {
        listener_->sessions_.insert(&session_);
        ServerStats::Add(listener_->environment_->stats->connections_open);
    }
    ~Membership() {
        listener_->sessions_.erase(&session_);
        ServerStats::Take(listener_->environment_->stats->connections_open);
        listener_->connections_->fetch_sub(1, std::memory_order_relaxed);
    }
    Membership(const Membership&) = delete;
    Membership& operator=(const Membership&) = delete;

    Session& session() { return session_; }

  private:
    const std::shared_ptr<Listener> listener_;
    Session session_;
};

Listener::Listener(std::shared_ptr<SessionEnvironment> environment, int listening_socket,
                   int family, std::shared_ptr<std::atomic<std::size_t>> connections)
    : environment_(std::move(environment)),
      connections_(std::move(connections)),
      acceptor_(environment_->loop.executor(), Protocol6Or4(family), listening_socket),
      retry_(environment_->loop.timers(), [this] { WaitForConnections(); }) {}

void Listener::WaitForConnections() {
    if (!acceptor_.is_open()) return;
    acceptor_.async_wait(Acceptor::wait_read,
                         [self = shared_from_this()](const boost::system::error_code& error) {
                             if (!error) self->AcceptSome();
                         });
}

void Listener::AcceptSome() {
    ServerStats& stats = *environment_->stats;
    for (int i = 0; i < kAcceptsAtOnce; ++i) {
        sockaddr_storage peer{};
        socklen_t size = sizeof peer;
        // Not Asio's own accept: the socket has to be close-on-exec from its first moment, for the
        // plugin probe spawns children.
        const int socket = ::accept4(acceptor_.native_handle(), reinterpret_cast<sockaddr*>(&peer),
                                     &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (socket >= 0) {
            Serve(socket, peer);
            continue;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK) break;
        if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO) continue;
        // Out of descriptors or memory: the connections stay in the backlog until there is room
        // again.
        ServerStats::Add(stats.accept_errors);
        retry_.ArmAfter(kAcceptRetry);
        return;
    }
    WaitForConnections();
}

void Listener::Serve(int socket, const sockaddr_storage& peer) {
    ServerStats& stats = *environment_->stats;
    ServerStats::Add(stats.connections_accepted);
    if (connections_->fetch_add(1, std::memory_order_relaxed) >=
        environment_->options.max_connections) {
        connections_->fetch_sub(1, std::memory_order_relaxed);
        ServerStats::Add(stats.connections_refused);
        ::close(socket);
        return;
    }
    Connection::Socket client(environment_->loop.executor());
    boost::system::error_code error;
    client.assign(Protocol6Or4(peer.ss_family), socket, error);
    if (error) {
        connections_->fetch_sub(1, std::memory_order_relaxed);
        ServerStats::Add(stats.accept_errors);
        ::close(socket);
        return;
    }
    auto membership =
        std::make_unique<Membership>(shared_from_this(), std::move(client), AddressText(peer));
    boost::asio::co_spawn(environment_->loop.executor(), RunSession(std::move(membership)),
                          boost::asio::detached);
}

Task<> Listener::RunSession(std::unique_ptr<Membership> membership) {
    co_await membership->session().Run();
}

void Listener::Stop(Cancellation::Reason reason) {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    retry_.Disarm();
    // A session may end, and leave the set, while it is stopped.
    const std::vector<Session*> sessions(sessions_.begin(), sessions_.end());
    for (Session* session : sessions) {
        if (sessions_.contains(session)) session->Stop(reason);
    }
}

void Listener::Abandon() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    retry_.Disarm();
    for (Session* session : sessions_) session->Abandon();
}

}  // namespace aim::http
