#include "tests/support/fake_provider/server.hpp"

#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/fake_provider/event_loop.hpp"

namespace aim::testing {
namespace {

constexpr int kBacklog = 4096;

// A listening socket, or -1.
int Listen(const std::string& host, std::uint16_t* port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(*port);
    if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) {
        errno = EINVAL;
        return -1;
    }
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0) return -1;
    const int on = 1;
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    socklen_t size = sizeof address;
    if (::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener, kBacklog) != 0 ||
        ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        ::close(listener);
        return -1;
    }
    *port = ntohs(address.sin_port);
    return listener;
}

}  // namespace

Server::Server() = default;

std::unique_ptr<Server> Server::Start(const ServerOptions& options, std::string* error) {
    std::unique_ptr<Server> server(new Server());
    server->state_.required_key = options.required_key;
    if (!options.certificate_pem.empty() || !options.key_pem.empty()) {
        server->context_ = MakeServerContext(options.certificate_pem, options.key_pem, error);
        if (!server->context_) return nullptr;
        server->state_.tls = true;
    }
    server->port_ = options.port;
    for (unsigned i = 0; i < options.threads; ++i) {
        const int listener = Listen(options.host, &server->port_);
        if (listener < 0) {
            *error = "cannot listen on " + options.host + ":" + std::to_string(options.port) +
                     ": " + std::strerror(errno);
            return nullptr;
        }
        server->loops_.push_back(std::make_unique<EventLoop>(
            listener, server->context_.get(), server->state_, i + 1, options.threads));
    }
    for (const auto& loop : server->loops_)
        server->threads_.emplace_back([running = loop.get()] { running->Run(); });
    return server;
}

Server::~Server() {
    for (const auto& loop : loops_) loop->Stop();
    for (std::thread& thread : threads_) thread.join();
}

}  // namespace aim::testing
