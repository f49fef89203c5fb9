#include "core/http/client/tls_channel.hpp"

#include <algorithm>
#include <cstring>

#include <boost/asio/ip/address.hpp>
#include <openssl/err.h>
#include <openssl/x509v3.h>

namespace aim::http::client {
namespace {

// Where an SSL object keeps its channel.
int ChannelIndex() {
    static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

}  // namespace

BIO_METHOD* TlsChannel::BioMethod() {
    static BIO_METHOD* const method = [] {
        BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "aim channel");
        BIO_meth_set_read(made, &TlsChannel::BioRead);
        BIO_meth_set_write(made, &TlsChannel::BioWrite);
        BIO_meth_set_ctrl(made, &TlsChannel::BioControl);
        return made;
    }();
    return method;
}

int TlsChannel::BioRead(BIO* bio, char* to, int size) {
    auto* channel = static_cast<TlsChannel*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const std::size_t count =
        std::min(static_cast<std::size_t>(std::max(size, 0)), channel->incoming_.size());
    if (count == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    std::memcpy(to, channel->incoming_.view().data(), count);
    channel->incoming_.Consume(count);
    return static_cast<int>(count);
}

int TlsChannel::BioWrite(BIO* bio, const char* from, int size) {
    auto* channel = static_cast<TlsChannel*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    if (size <= 0) return 0;
    channel->outgoing_.append(from, static_cast<std::size_t>(size));
    return size;
}

long TlsChannel::BioControl(BIO*, int command, long, void*) {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

TlsChannel::TlsChannel(std::shared_ptr<const TlsContext> context, const std::string& host,
                       std::shared_ptr<TlsSessionSlot> sessions)
    : context_(std::move(context)), sessions_(std::move(sessions)) {
    ERR_clear_error();
    ssl_ = SSL_new(context_->get());
    BIO* bio = ssl_ == nullptr ? nullptr : BIO_new(BioMethod());
    if (bio == nullptr) {
        problem_ = "OpenSSL is out of memory";
        return;
    }
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_, bio, bio);
    SSL_set_ex_data(ssl_, ChannelIndex(), this);
    SSL_set_connect_state(ssl_);

    // "api.groq.com." is the same host, but certificates and SNI do not write the dot.
    std::string name = host;
    if (name.size() > 1 && name.back() == '.') name.pop_back();
    boost::system::error_code not_an_address;
    boost::asio::ip::make_address(name, not_an_address);
    bool named = false;
    if (!not_an_address) {
        named = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_), name.c_str()) == 1;
    } else {
        SSL_set_hostflags(ssl_, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        named = SSL_set1_host(ssl_, name.c_str()) == 1 &&
                SSL_set_tlsext_host_name(ssl_, name.c_str()) == 1;
    }
    if (!named) problem_ = "this host name cannot be verified";
    if (sessions_->get() != nullptr) SSL_set_session(ssl_, sessions_->get());
}

TlsChannel::~TlsChannel() {
    if (ssl_ == nullptr) return;
    SSL_set_ex_data(ssl_, ChannelIndex(), nullptr);
    // Without this OpenSSL takes the end for an attack and makes the session unfit for resumption.
    if (established_) SSL_set_shutdown(ssl_, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(ssl_);
}

int TlsChannel::OnNewSession(SSL* ssl, SSL_SESSION* session) {
    auto* channel = static_cast<TlsChannel*>(SSL_get_ex_data(ssl, ChannelIndex()));
    if (channel == nullptr) return 0;
    channel->sessions_->Put(session);
    return 1;  // the reference is ours now
}

TlsChannel::Status TlsChannel::Classify(int result) {
    const int code = SSL_get_error(ssl_, result);
    switch (code) {
        case SSL_ERROR_WANT_READ:
            return Status::kWantInput;
        case SSL_ERROR_ZERO_RETURN:
            return Status::kClosed;
        default:
            break;
    }
    const long verdict = SSL_get_verify_result(ssl_);
    if (!established_ && verdict != X509_V_OK) {
        problem_ = X509_verify_cert_error_string(verdict);
    } else {
        const char* reason = ERR_reason_error_string(ERR_peek_error());
        problem_ = reason == nullptr ? "TLS error" : reason;
    }
    ERR_clear_error();
    return Status::kFailed;
}

TlsChannel::Status TlsChannel::Handshake() {
    if (!problem_.empty()) return Status::kFailed;
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_);
    if (result != 1) return Classify(result);
    established_ = true;
    return Status::kDone;
}

bool TlsChannel::resumed() const { return ssl_ != nullptr && SSL_session_reused(ssl_) == 1; }

TlsChannel::Status TlsChannel::Read(std::span<char> room, std::size_t& count) {
    ERR_clear_error();
    const int result = SSL_read_ex(ssl_, room.data(), room.size(), &count);
    return result == 1 ? Status::kDone : Classify(result);
}

TlsChannel::Status TlsChannel::Write(std::string_view plain) {
    ERR_clear_error();
    while (!plain.empty()) {
        std::size_t count = 0;
        const int result = SSL_write_ex(ssl_, plain.data(), plain.size(), &count);
        if (result != 1) return Classify(result);
        plain.remove_prefix(count);
    }
    return Status::kDone;
}

void TlsChannel::Shutdown() {
    if (!established_ || !problem_.empty()) return;
    ERR_clear_error();
    SSL_shutdown(ssl_);
    ERR_clear_error();
}

}  // namespace aim::http::client
