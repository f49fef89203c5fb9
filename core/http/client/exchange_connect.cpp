// AsioExchange's way to a connection: from the pool, or a new one with name, proxy and TLS.
#include <chrono>
#include <string>
#include <utility>

#include "core/http/client/exchange.hpp"
#include "core/http/client/request_writer.hpp"

namespace aim::http::client {

bool AsioExchange::TakePooled() {
    started_at_ = std::chrono::steady_clock::now();
    OriginPool* pool = client_->pool_.For(request_.url, started_at_);
    if (pool == nullptr) return false;
    connection_ = pool->TakeIdle(started_at_);
    if (!connection_) return false;
    connection_->SetUser(this);
    reused_ = true;
    client_->stats_.connections_reused.Add(1);
    return true;
}

Task<Result<void>> AsioExchange::Acquire() {
    stage_ = Stage::kQueue;
    reused_ = false;
    Arm(limits_.connect);
    OriginPool* pool = client_->pool_.For(request_.url, std::chrono::steady_clock::now());
    if (pool == nullptr)
        co_return Broken(ErrorKind::kOverloaded, "pool_exhausted", "too many origins");
    waiter_.emplace(signal_);
    if (pool->Request(*waiter_) == OriginPool::Grant::kRefused) {
        co_return Broken(ErrorKind::kOverloaded, "pool_exhausted",
                         "too many exchanges wait for a connection");
    }
    while (!stopped() && !waiter_->granted()) co_await signal_.Wait();
    if (stopped()) co_return StopError();
    connection_ = waiter_->Take();
    waiter_.reset();
    connection_->SetUser(this);
    if (connection_->connected()) {
        reused_ = true;
        client_->stats_.connections_reused.Add(1);
        co_return Result<void>();
    }
    Result<void> opened = co_await Open();
    if (!opened && client_ != nullptr && !stopped()) client_->stats_.connect_failures.Add(1);
    co_return opened;
}

Task<Result<void>> AsioExchange::Open() {
    stage_ = Stage::kConnect;
    const std::string& host = proxy_ != nullptr ? proxy_->host : request_.url.host;
    const std::uint16_t port = proxy_ != nullptr ? proxy_->port : request_.url.port;
    resolution_ = client_->resolver_->TryNow(host);
    if (!resolution_) {
        ticket_ = client_->resolver_->Ask(host, executor_, [this](ResolutionPtr answer) {
            resolution_ = std::move(answer);
            signal_.Resume();
        });
        while (!stopped() && !resolution_) co_await signal_.Wait();
        if (stopped()) co_return StopError();
        ticket_ = {};
    }
    if (resolution_->addresses.empty()) {
        const std::string what = "the name of " +
                                 std::string(proxy_ != nullptr ? "the proxy" : "the host") +
                                 " was not found: " + resolution_->problem;
        co_return Broken(ErrorKind::kUpstreamFailure, "dns_failure", what);
    }
    dialer_ = Dialer::Start(executor_, client_->timers_, resolution_->addresses, port,
                            client_->options_.connect_stagger, [this] { signal_.Resume(); });
    while (!stopped() && !dialer_->done()) co_await signal_.Wait();
    if (stopped()) co_return StopError();
    const std::shared_ptr<Dialer> dialer = std::move(dialer_);
    if (!dialer->connected()) {
        const std::string what = "cannot connect: " + dialer->error().message();
        co_return Broken(ErrorKind::kUpstreamFailure, "connect_failed", what);
    }
    if (!connection_->Adopt(dialer->Take()))
        co_return Broken(ErrorKind::kUpstreamFailure, "connect_failed", "cannot use the socket");
    connection_->created_at = std::chrono::steady_clock::now();
    client_->stats_.connections_created.Add(1);
    if (!request_.url.tls) co_return Result<void>();
    if (proxy_ != nullptr) {
        Result<void> tunnel = co_await OpenTunnel();
        if (!tunnel) co_return tunnel;
    }
    Result<void> shaken = co_await ShakeHands();
    co_return shaken;
}

Task<Result<void>> AsioExchange::OpenTunnel() {
    std::string head;
    WriteConnectHead(request_.url, proxy_->authorization.Reveal(), head);
    connection_->Write(head, {});
    HeaderMap headers;
    ResponseHeadParser parser;
    parser.Start(headers, limits_.max_head_bytes, false, true);
    for (;;) {
        if (stopped()) co_return StopError();
        ByteBuffer& input = connection_->input();
        if (!input.empty()) {
            const ResponseHeadParser::State state = parser.Parse(input.view());
            if (state == ResponseHeadParser::State::kFailed) {
                co_return Broken(ErrorKind::kUpstreamFailure, "connect_failed",
                                 "the proxy does not speak HTTP");
            }
            if (state == ResponseHeadParser::State::kDone) {
                input.Consume(parser.consumed());
                break;
            }
        }
        if (connection_->end() != Connection::End::kOpen) co_return ConnectionError("by the proxy");
        if (!connection_->WantInput()) co_await signal_.Wait();
    }
    explicit_bzero(head.data(), head.size());
    if (parser.status() < 200 || parser.status() > 299) {
        const std::string what = "the proxy answered " + std::to_string(parser.status());
        co_return Broken(ErrorKind::kUpstreamFailure, "connect_failed", what);
    }
    if (!connection_->input().empty())
        co_return Broken(ErrorKind::kUpstreamFailure, "connect_failed",
                         "the proxy sent more than its answer");
    co_return Result<void>();
}

Task<Result<void>> AsioExchange::ShakeHands() {
    connection_->StartTls(client_->tls_, request_.url.host, connection_->pool()->sessions);
    for (;;) {
        if (stopped()) co_return StopError();
        if (connection_->end() == Connection::End::kTlsFailed)
            co_return ConnectionError("in the handshake");
        if (connection_->end() != Connection::End::kOpen) {
            co_return Broken(ErrorKind::kUpstreamFailure, "tls_failure",
                             "the connection was closed in the TLS handshake");
        }
        if (connection_->tls_ready()) break;
        if (!connection_->WantInput()) co_await signal_.Wait();
    }
    client_->stats_.tls_handshakes.Add(1);
    if (connection_->tls()->resumed()) client_->stats_.tls_resumptions.Add(1);
    co_return Result<void>();
}

}  // namespace aim::http::client
