#pragma once

#include <memory>
#include <string>

#include <openssl/ssl.h>

#include "core/base/result.hpp"

namespace aim::http::client {

// The last TLS session of one origin, to be resumed by its next connection. One loop's thread.
class TlsSessionSlot {
  public:
    TlsSessionSlot() = default;
    ~TlsSessionSlot() { Put(nullptr); }
    TlsSessionSlot(const TlsSessionSlot&) = delete;
    TlsSessionSlot& operator=(const TlsSessionSlot&) = delete;

    // Takes over the caller's reference.
    void Put(SSL_SESSION* session);
    SSL_SESSION* get() const { return session_; }

  private:
    SSL_SESSION* session_ = nullptr;
};

// What all TLS connections of the process have in common: version 1.2 or later, verified chains,
// the trusted authorities. Immutable after its creation and shared by all loops.
class TlsContext {
  public:
    struct Options {
        // Trusted beside the system's store, as PEM (private authorities, tests). The system's
        // store is OpenSSL's default, which SSL_CERT_FILE and SSL_CERT_DIR move.
        std::string extra_authorities_pem;
    };

    // Fails when the extra authorities cannot be read.
    static Result<std::shared_ptr<const TlsContext>> Create(const Options& options);

    ~TlsContext();
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;

    SSL_CTX* get() const { return context_; }

  private:
    explicit TlsContext(SSL_CTX* context) : context_(context) {}

    SSL_CTX* context_;
};

}  // namespace aim::http::client
