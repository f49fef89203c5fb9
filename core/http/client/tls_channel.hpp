#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <openssl/ssl.h>

#include "core/http/client/byte_buffer.hpp"
#include "core/http/client/tls_context.hpp"

namespace aim::http::client {

// One TLS connection as a filter between bytes: its owner fills incoming() from the socket and
// sends what appears in outgoing(). It has no socket and never waits, so that plain and encrypted
// connections share one way of reading, and ciphertext is copied once only.
class TlsChannel {
  public:
    enum class Status {
        kDone,       // made progress
        kWantInput,  // needs more ciphertext
        kClosed,     // the peer said close_notify
        kFailed      // see problem()
    };

    // `host` is verified against the certificate, as a name or an address. A session in `sessions`
    // is resumed; a new one is put there.
    TlsChannel(std::shared_ptr<const TlsContext> context, const std::string& host,
               std::shared_ptr<TlsSessionSlot> sessions);
    ~TlsChannel();
    TlsChannel(const TlsChannel&) = delete;
    TlsChannel& operator=(const TlsChannel&) = delete;

    ByteBuffer& incoming() { return incoming_; }
    std::string& outgoing() { return outgoing_; }

    Status Handshake();
    bool established() const { return established_; }
    bool resumed() const;

    // Decrypts into `room`; `count` bytes were written after kDone.
    Status Read(std::span<char> room, std::size_t& count);

    // Encrypts all of `plain` into outgoing().
    Status Write(std::string_view plain);

    // Appends close_notify to outgoing(), if that makes sense.
    void Shutdown();

    // Why it failed: certificate verification first, else OpenSSL's reason.
    const std::string& problem() const { return problem_; }

    static int OnNewSession(SSL* ssl, SSL_SESSION* session);

  private:
    Status Classify(int result);

    static BIO_METHOD* BioMethod();
    static int BioRead(BIO* bio, char* to, int size);
    static int BioWrite(BIO* bio, const char* from, int size);
    static long BioControl(BIO* bio, int command, long number, void* pointer);

    std::shared_ptr<const TlsContext> context_;
    std::shared_ptr<TlsSessionSlot> sessions_;
    SSL* ssl_ = nullptr;
    bool established_ = false;
    ByteBuffer incoming_;
    std::string outgoing_;
    std::string problem_;
};

}  // namespace aim::http::client
