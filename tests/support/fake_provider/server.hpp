// The fake provider's server: listening sockets and one epoll loop a thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/fake_provider/answerer.hpp"
#include "tests/support/fake_provider/transport.hpp"

namespace aim::testing {

struct ServerOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;  // 0: any free one
    unsigned threads = 1;
    std::string certificate_pem;  // with the key: HTTPS
    std::string key_pem;
    std::string required_key;
};

class EventLoop;

class Server {
  public:
    // Null with a sentence in `error` when it cannot listen. It serves from here on.
    static std::unique_ptr<Server> Start(const ServerOptions& options, std::string* error);
    // Stops the threads; pending answers are dropped.
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    std::uint16_t port() const { return port_; }
    ServerState& state() { return state_; }

  private:
    Server();

    ServerState state_;
    SslContextPtr context_;
    std::uint16_t port_ = 0;
    std::vector<std::unique_ptr<EventLoop>> loops_;
    std::vector<std::thread> threads_;
};

}  // namespace aim::testing
