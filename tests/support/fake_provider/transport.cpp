#include "tests/support/fake_provider/transport.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/socket.h>
#include <unistd.h>

namespace aim::testing {
namespace {

struct BioDeleter {
    void operator()(BIO* bio) const { BIO_free(bio); }
};
using BioPtr = std::unique_ptr<BIO, BioDeleter>;

BioPtr ReadOnlyBio(const std::string& text) {
    return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

bool UseChain(SSL_CTX* context, const std::string& pem) {
    const BioPtr bio = ReadOnlyBio(pem);
    X509* leaf = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr);
    const bool used = leaf != nullptr && SSL_CTX_use_certificate(context, leaf) == 1;
    X509_free(leaf);
    if (!used) return false;
    while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
        if (SSL_CTX_add0_chain_cert(context, next) != 1) {
            X509_free(next);
            return false;
        }
    }
    ERR_clear_error();  // the end of the PEM text is reported as an error
    return true;
}

bool UseKey(SSL_CTX* context, const std::string& pem) {
    const BioPtr bio = ReadOnlyBio(pem);
    EVP_PKEY* key = PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr);
    const bool used = key != nullptr && SSL_CTX_use_PrivateKey(context, key) == 1;
    EVP_PKEY_free(key);
    return used && SSL_CTX_check_private_key(context) == 1;
}

int ChooseHttp11(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                 unsigned int in_size, void*) {
    static constexpr unsigned char kHttp11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    unsigned char* chosen = nullptr;
    const int result =
        SSL_select_next_proto(&chosen, out_size, kHttp11, sizeof kHttp11, in, in_size);
    *out = chosen;
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

}  // namespace

SslContextPtr MakeServerContext(const std::string& certificate_pem, const std::string& key_pem,
                                std::string* error) {
    SslContextPtr context(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_mode(context.get(),
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    static constexpr unsigned char kSessionContext[] = "fake_provider";
    SSL_CTX_set_session_id_context(context.get(), kSessionContext, sizeof kSessionContext - 1);
    SSL_CTX_set_alpn_select_cb(context.get(), ChooseHttp11, nullptr);
    if (!UseChain(context.get(), certificate_pem) || !UseKey(context.get(), key_pem)) {
        *error = "the certificate or its key cannot be used";
        return nullptr;
    }
    return context;
}

Transport::Transport(int socket, SSL_CTX* context) : socket_(socket) {
    if (context == nullptr) return;
    ssl_.reset(SSL_new(context));
    SSL_set_fd(ssl_.get(), socket);
    SSL_set_accept_state(ssl_.get());
}

Transport::~Transport() {
    ssl_.reset();
    if (socket_ >= 0) ::close(socket_);
}

std::string Transport::ServerName() const {
    if (!ssl_) return {};
    const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
    return name == nullptr ? std::string() : std::string(name);
}

IoState Transport::StateOf(int result) const {
    switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_WANT_READ:
        case SSL_ERROR_WANT_WRITE:
            return IoState::kWouldBlock;
        case SSL_ERROR_ZERO_RETURN:
            return IoState::kClosed;
        default:
            return IoState::kFailed;
    }
}

IoState Transport::Handshake() {
    if (!ssl_ || SSL_is_init_finished(ssl_.get())) return IoState::kOk;
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    return result == 1 ? IoState::kOk : StateOf(result);
}

IoResult Transport::Read(char* buffer, std::size_t size) {
    if (ssl_) {
        ERR_clear_error();
        const int result =
            SSL_read(ssl_.get(), buffer, static_cast<int>(std::min<std::size_t>(size, INT_MAX)));
        if (result > 0) return {IoState::kOk, static_cast<std::size_t>(result)};
        return {StateOf(result), 0};
    }
    const ssize_t result = ::recv(socket_, buffer, size, 0);
    if (result > 0) return {IoState::kOk, static_cast<std::size_t>(result)};
    if (result == 0) return {IoState::kClosed, 0};
    return {errno == EAGAIN || errno == EINTR ? IoState::kWouldBlock : IoState::kFailed, 0};
}

IoResult Transport::Write(std::string_view bytes) {
    if (bytes.empty()) return {};
    if (ssl_) {
        ERR_clear_error();
        const int result =
            SSL_write(ssl_.get(), bytes.data(),
                      static_cast<int>(std::min<std::size_t>(bytes.size(), INT_MAX)));
        if (result > 0) return {IoState::kOk, static_cast<std::size_t>(result)};
        return {StateOf(result), 0};
    }
    const ssize_t result = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (result >= 0) return {IoState::kOk, static_cast<std::size_t>(result)};
    return {errno == EAGAIN || errno == EINTR ? IoState::kWouldBlock : IoState::kFailed, 0};
}

void Transport::Close(bool notify) {
    if (ssl_ && SSL_is_init_finished(ssl_.get())) {
        ERR_clear_error();
        if (notify) SSL_shutdown(ssl_.get());
    }
    ssl_.reset();
    ::shutdown(socket_, SHUT_WR);
    ::close(socket_);
    socket_ = -1;
}

void Transport::Reset() {
    ssl_.reset();
    const linger abort_now{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &abort_now, sizeof abort_now);
    ::close(socket_);
    socket_ = -1;
}

}  // namespace aim::testing
