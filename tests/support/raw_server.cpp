#include "tests/support/raw_server.hpp"

#include <csignal>
#include <cstdlib>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <sys/socket.h>
#include <unistd.h>

namespace aim::testing {
namespace {

struct BioDeleter {
    void operator()(BIO* bio) const { BIO_free(bio); }
};

SSL_CTX* MakeContext(const RawServer::Tls& tls) {
    SSL_CTX* context = SSL_CTX_new(TLS_server_method());
    const std::unique_ptr<BIO, BioDeleter> certificate_text(
        BIO_new_mem_buf(tls.certificate_pem.data(), static_cast<int>(tls.certificate_pem.size())));
    const std::unique_ptr<BIO, BioDeleter> key_text(
        BIO_new_mem_buf(tls.key_pem.data(), static_cast<int>(tls.key_pem.size())));
    X509* certificate = PEM_read_bio_X509(certificate_text.get(), nullptr, nullptr, nullptr);
    EVP_PKEY* key = PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr);
    const bool usable = certificate != nullptr && key != nullptr &&
                        SSL_CTX_use_certificate(context, certificate) == 1 &&
                        SSL_CTX_use_PrivateKey(context, key) == 1;
    X509_free(certificate);
    EVP_PKEY_free(key);
    if (!usable) throw std::runtime_error("unusable test certificate");
    if (tls.version != 0) {
        SSL_CTX_set_min_proto_version(context, tls.version);
        SSL_CTX_set_max_proto_version(context, tls.version);
    }
    static const unsigned char kSessionContext[] = "raw_server";
    SSL_CTX_set_session_id_context(context, kSessionContext, sizeof(kSessionContext) - 1);
    return context;
}

// The length that a request's head announces; 0 without one.
std::size_t BodyLength(const std::string& head) {
    const std::size_t at = head.find("Content-Length: ");
    return at == std::string::npos ? 0 : std::strtoul(head.c_str() + at + 16, nullptr, 10);
}

}  // namespace

RawServer::Peer::~Peer() {
    if (!closed_) {
        if (ssl_ != nullptr) SSL_shutdown(ssl_);
        ::shutdown(fd_, SHUT_WR);
    }
    SSL_free(ssl_);
    if (fd_ >= 0) ::close(fd_);
}

bool RawServer::Peer::Accept(SSL_CTX* context) {
    ssl_ = SSL_new(context);
    SSL_set_fd(ssl_, fd_);
    if (SSL_accept(ssl_) == 1) return true;
    closed_ = true;
    return false;
}

bool RawServer::Peer::StartTls(const Tls& tls) {
    SSL_CTX* context = MakeContext(tls);
    const bool accepted = Accept(context);
    SSL_CTX_free(context);
    return accepted;
}

void RawServer::Peer::Abort() {
    const int fd = fd_.load();
    if (fd >= 0) ::shutdown(fd, SHUT_RDWR);
}

std::string RawServer::Peer::ReadSome(std::size_t size) {
    if (!read_ahead_.empty()) {
        std::string bytes = read_ahead_.substr(0, size);
        read_ahead_.erase(0, bytes.size());
        return bytes;
    }
    if (closed_) return {};
    std::string bytes(size, '\0');
    const auto count = ssl_ != nullptr ? SSL_read(ssl_, bytes.data(), static_cast<int>(size))
                                       : ::recv(fd_, bytes.data(), size, 0);
    if (count <= 0) return {};
    bytes.resize(static_cast<std::size_t>(count));
    return bytes;
}

std::string RawServer::Peer::ReadRequest() {
    std::string request;
    for (;;) {
        const std::size_t end = request.find("\r\n\r\n");
        if (end != std::string::npos) {
            const std::size_t size = end + 4 + BodyLength(request.substr(0, end));
            if (request.size() >= size) {
                read_ahead_ = request.substr(size);
                request.resize(size);
                return request;
            }
        }
        const std::string more = ReadSome(65536);
        if (more.empty()) return {};
        request += more;
    }
}

bool RawServer::Peer::Write(std::string_view bytes) {
    while (!bytes.empty()) {
        if (closed_) return false;
        const auto count = ssl_ != nullptr
                               ? SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()))
                               : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

bool RawServer::Peer::WriteByteByByte(std::string_view bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (!Write(bytes.substr(i, 1))) return false;
        std::this_thread::yield();
    }
    return true;
}

void RawServer::Peer::Reset() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    closed_ = true;
    ::close(fd_.exchange(-1));
}

void RawServer::Peer::CloseWithoutNotify() {
    closed_ = true;
    ::shutdown(fd_, SHUT_WR);
}

void RawServer::Peer::WaitForClose() {
    while (!ReadSome().empty()) {
    }
}

RawServer::RawServer(Script script, std::optional<Tls> tls) : script_(std::move(script)) {
    std::signal(SIGPIPE, SIG_IGN);
    if (tls) context_ = MakeContext(*tls);
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener_, 512) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        throw std::runtime_error("cannot listen on loopback");
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { AcceptLoop(); });
}

RawServer::~RawServer() {
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    {
        const std::lock_guard lock(mutex_);
        for (const auto& peer : peers_) peer->Abort();
    }
    for (std::thread& thread : threads_) thread.join();
    peers_.clear();
    SSL_CTX_free(context_);
}

std::string RawServer::Url(std::string_view path, std::string_view host) const {
    std::string url = context_ != nullptr ? "https://" : "http://";
    url += host;
    url += ":" + std::to_string(port_);
    url += path;
    return url;
}

void RawServer::AcceptLoop() {
    while (!stopping_) {
        const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) return;
        const int one = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        auto peer = std::make_shared<Peer>(fd);
        const int index = connections_.fetch_add(1);
        const std::lock_guard lock(mutex_);
        peers_.push_back(peer);
        threads_.emplace_back([this, peer, index]() mutable {
            if (context_ == nullptr || peer->Accept(context_)) script_(*peer, index);
            {
                const std::lock_guard own(mutex_);
                peers_.remove(peer);
                peer.reset();
            }
            finished_.fetch_add(1);
        });
    }
}

}  // namespace aim::testing
