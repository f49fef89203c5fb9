// The bytes of one accepted socket, plain or TLS, never blocking. Owns the socket.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <openssl/ssl.h>
#include <sys/types.h>

namespace aim::testing {

struct SslContextDeleter {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslContextPtr = std::unique_ptr<SSL_CTX, SslContextDeleter>;

struct SslDeleter {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
};

// Null with a sentence in `error` when OpenSSL does not take the PEM texts.
SslContextPtr MakeServerContext(const std::string& certificate_pem, const std::string& key_pem,
                                std::string* error);

enum class IoState { kOk, kWouldBlock, kClosed, kFailed };

struct IoResult {
    IoState state = IoState::kOk;
    std::size_t bytes = 0;
};

class Transport {
  public:
    Transport(int socket, SSL_CTX* context);
    ~Transport();
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;

    int socket() const { return socket_; }
    bool tls() const { return ssl_ != nullptr; }
    bool resumed() const { return ssl_ && SSL_session_reused(ssl_.get()) == 1; }
    std::string ServerName() const;

    // kOk once the handshake is done; immediately without TLS.
    IoState Handshake();
    IoResult Read(char* buffer, std::size_t size);
    IoResult Write(std::string_view bytes);
    // After these the transport is only good for destruction.
    void Close(bool notify);
    void Reset();

  private:
    IoState StateOf(int result) const;

    int socket_;
    std::unique_ptr<SSL, SslDeleter> ssl_;
};

}  // namespace aim::testing
