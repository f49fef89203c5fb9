#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "core/base/result.hpp"

namespace aim::http {

// A bound and listening TCP socket, not blocking, close-on-exec, with TCP_NODELAY, which accepted
// sockets inherit. Owns its descriptor.
class ListeningSocket {
  public:
    // Several sockets of one process can share a port; a port on which anybody else listens is
    // refused nevertheless when `first`.
    static Result<ListeningSocket> Open(const std::string& host, std::uint16_t port, int backlog,
                                        bool first);

    ListeningSocket(ListeningSocket&& other) noexcept
        : descriptor_(std::exchange(other.descriptor_, -1)),
          family_(other.family_),
          port_(other.port_) {}
    ListeningSocket& operator=(ListeningSocket&&) = delete;
    ~ListeningSocket();

    int Release() { return std::exchange(descriptor_, -1); }
    int family() const { return family_; }
    std::uint16_t port() const { return port_; }

  private:
    ListeningSocket(int descriptor, int family) : descriptor_(descriptor), family_(family) {}

    int descriptor_;
    int family_;
    std::uint16_t port_ = 0;
};

}  // namespace aim::http
