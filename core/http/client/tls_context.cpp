#include "core/http/client/tls_context.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "core/http/client/tls_channel.hpp"

namespace aim::http::client {
namespace {

struct BioDeleter {
    void operator()(BIO* bio) const { BIO_free(bio); }
};

// Adds every certificate of the text; false when there is none or one is broken.
bool AddAuthorities(SSL_CTX* context, const std::string& pem) {
    const std::unique_ptr<BIO, BioDeleter> bio(
        BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    if (!bio) return false;
    X509_STORE* store = SSL_CTX_get_cert_store(context);
    int added = 0;
    while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
        const bool stored = X509_STORE_add_cert(store, certificate) == 1;
        X509_free(certificate);
        if (!stored) return false;
        ++added;
    }
    const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    return added > 0 && at_end;
}

}  // namespace

void TlsSessionSlot::Put(SSL_SESSION* session) {
    if (session_ != nullptr) SSL_SESSION_free(session_);
    session_ = session;
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

Result<std::shared_ptr<const TlsContext>> TlsContext::Create(const Options& options) {
    SSL_CTX* raw = SSL_CTX_new(TLS_client_method());
    if (raw == nullptr) return Fail(ErrorKind::kInternal, "OpenSSL refused to make a TLS context");
    std::shared_ptr<const TlsContext> context(new TlsContext(raw));
    SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
    SSL_CTX_set_options(raw, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_default_verify_paths(raw);
    SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(raw, &TlsChannel::OnNewSession);
    constexpr unsigned char kProtocols[] = "\x08http/1.1";
    SSL_CTX_set_alpn_protos(raw, kProtocols, sizeof(kProtocols) - 1);
    if (!options.extra_authorities_pem.empty() &&
        !AddAuthorities(raw, options.extra_authorities_pem)) {
        return Fail(ErrorKind::kInvalidRequest,
                    "the extra TLS authorities are not certificates in PEM form");
    }
    ERR_clear_error();
    return context;
}

}  // namespace aim::http::client
