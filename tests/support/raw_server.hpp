#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include <openssl/ssl.h>

namespace aim::testing {

// A TCP server that does exactly what a test says, byte for byte, on a free port of 127.0.0.1. Each
// connection runs the script on a thread of its own; blocking calls end when the server is
// destroyed.
//
//     RawServer server([](RawServer::Peer& peer, int) {
//         peer.ReadRequest();
//         peer.Write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
//     });
class RawServer {
  public:
    struct Tls {
        std::string certificate_pem;
        std::string key_pem;
        int version = 0;  // TLS1_2_VERSION and so on, zero for any
    };

    // One connection. When the script returns, it is closed in order.
    class Peer {
      public:
        explicit Peer(int fd) : fd_(fd) {}
        ~Peer();
        Peer(const Peer&) = delete;
        Peer& operator=(const Peer&) = delete;

        // One request: head and, by its Content-Length, body. Empty when the client closed instead.
        std::string ReadRequest();
        // Exactly what comes next, at most `size` bytes; empty at the end.
        std::string ReadSome(std::size_t size = 4096);
        bool Write(std::string_view bytes);
        // Every byte in a segment of its own.
        bool WriteByteByByte(std::string_view bytes);
        // Ends with RST instead of FIN; on TLS without close_notify too.
        void Reset();
        // FIN without close_notify on a TLS connection.
        void CloseWithoutNotify();
        // Continues with TLS, as a proxy's tunnel does.
        bool StartTls(const Tls& tls);
        // Until the client has closed or reset.
        void WaitForClose();
        bool resumed() const { return ssl_ != nullptr && SSL_session_reused(ssl_) == 1; }

      private:
        friend class RawServer;
        bool Accept(SSL_CTX* context);
        void Abort();

        std::atomic<int> fd_;  // also seen by Abort(), from the server's owner
        SSL* ssl_ = nullptr;
        bool closed_ = false;
        std::string read_ahead_;
    };

    using Script = std::function<void(Peer&, int connection)>;

    explicit RawServer(Script script, std::optional<Tls> tls = std::nullopt);
    ~RawServer();
    RawServer(const RawServer&) = delete;
    RawServer& operator=(const RawServer&) = delete;

    std::uint16_t port() const { return port_; }
    // "http://127.0.0.1:port" + path, or https.
    std::string Url(std::string_view path = "/", std::string_view host = "127.0.0.1") const;
    int connections() const { return connections_.load(); }
    // Connections whose script has returned.
    int finished() const { return finished_.load(); }

  private:
    void AcceptLoop();

    Script script_;
    SSL_CTX* context_ = nullptr;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<int> connections_{0};
    std::atomic<int> finished_{0};
    std::atomic<bool> stopping_{false};
    std::mutex mutex_;
    std::list<std::shared_ptr<Peer>> peers_;
    std::list<std::thread> threads_;
    std::thread acceptor_;
};

}  // namespace aim::testing
