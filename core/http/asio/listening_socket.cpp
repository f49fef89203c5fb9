#include "core/http/asio/listening_socket.hpp"

#include <cerrno>
#include <memory>
#include <system_error>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace aim::http {
namespace {

struct FreeAddresses {
    void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

Unexpected CannotListen(const std::string& host, std::uint16_t port, const std::string& why) {
    Error error;
    error.kind = ErrorKind::kInternal;
    error.code = "listen_failed";
    error.message = "cannot listen on " + host + ":" + std::to_string(port) + ": " + why;
    return Unexpected(std::move(error));
}

std::string ErrnoText() { return std::generic_category().message(errno); }

bool SetOption(int descriptor, int level, int option) {
    const int on = 1;
    return ::setsockopt(descriptor, level, option, &on, sizeof on) == 0;
}

std::uint16_t PortOf(int descriptor) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
    return ntohs(address.ss_family == AF_INET6
                     ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                     : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

}  // namespace

ListeningSocket::~ListeningSocket() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

Result<ListeningSocket> ListeningSocket::Open(const std::string& host, std::uint16_t port,
                                              int backlog, bool first) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    if (const int failed =
            ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
        failed != 0) {
        return CannotListen(host, port, ::gai_strerror(failed));
    }
    const std::unique_ptr<addrinfo, FreeAddresses> address(found);
    const auto open = [&] {
        return ListeningSocket(
            ::socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP),
            address->ai_family);
    };
    if (first && port != 0) {
        // SO_REUSEPORT would let us share the port with another process of the same user; without
        // it the bind tells.
        const ListeningSocket probe = open();
        if (probe.descriptor_ < 0 || !SetOption(probe.descriptor_, SOL_SOCKET, SO_REUSEADDR) ||
            ::bind(probe.descriptor_, address->ai_addr, address->ai_addrlen) != 0) {
            return CannotListen(host, port, ErrnoText());
        }
    }
    ListeningSocket socket = open();
    if (socket.descriptor_ < 0 || !SetOption(socket.descriptor_, SOL_SOCKET, SO_REUSEADDR) ||
        !SetOption(socket.descriptor_, SOL_SOCKET, SO_REUSEPORT) ||
        !SetOption(socket.descriptor_, IPPROTO_TCP, TCP_NODELAY) ||
        ::bind(socket.descriptor_, address->ai_addr, address->ai_addrlen) != 0 ||
        ::listen(socket.descriptor_, backlog) != 0) {
        return CannotListen(host, port, ErrnoText());
    }
    socket.port_ = PortOf(socket.descriptor_);
    return socket;
}

}  // namespace aim::http
