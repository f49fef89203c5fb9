#include "core/http/client/exchange.hpp"

#include <cstring>
#include <utility>

#include "core/http/client/request_writer.hpp"

namespace aim::http::client {
namespace {

constexpr std::size_t kMostSpareHeaders = 64;

}  // namespace

AsioExchange::AsioExchange(AsioClient& client, UpstreamRequest request,
                           const ExchangeLimits& limits, Cancellation& cancellation)
    : client_(&client),
      request_(std::move(request)),
      limits_(limits),
      executor_(client.executor_),
      timer_(client.timers_, [this] { Halt(Stop::kDeadline); }) {
    listener_.emplace(cancellation, [this] { Halt(Stop::kCancelled); });
    next_ = client.exchanges_;
    if (next_ != nullptr) next_->previous_ = this;
    client.exchanges_ = this;
    if (!client.spare_headers_.empty()) {
        headers_ = std::move(client.spare_headers_.back());
        client.spare_headers_.pop_back();
    }
    client.stats_.exchanges.Add(1);
}

AsioExchange::~AsioExchange() {
    // Often the reader has all it wants and only the body's end mark is unread: then the connection
    // is as good as any.
    Drain();
    explicit_bzero(head_.data(), head_.size());
    if (client_ == nullptr) return;
    if (client_->spare_headers_.size() < kMostSpareHeaders) {
        headers_.Clear();
        client_->spare_headers_.push_back(std::move(headers_));
    }
    Detach();
}

// Takes the exchange off its client.
void AsioExchange::Detach() {
    if (client_ == nullptr) return;
    if (previous_ != nullptr) {
        previous_->next_ = next_;
    } else {
        client_->exchanges_ = next_;
    }
    if (next_ != nullptr) next_->previous_ = previous_;
    previous_ = next_ = nullptr;
    client_ = nullptr;
}

void AsioExchange::Arm(std::chrono::milliseconds limit) {
    if (limit.count() > 0) {
        timer_.ArmAfter(limit);
    } else {
        timer_.Disarm();
    }
}

void AsioExchange::DropWaits() {
    waiter_.reset();
    ticket_ = {};
    // Its attempts hold it, too: dropping it would not keep it from calling back.
    if (const auto dialer = std::exchange(dialer_, nullptr)) dialer->Stop();
}

// Ends everything that goes on; the waiting coroutine finds out in this turn of the loop.
void AsioExchange::Halt(Stop reason) {
    if (stopped() || stage_ == Stage::kOver) return;
    stop_ = reason;
    timer_.Disarm();
    DropWaits();
    if (connection_) connection_->Close();
    signal_.Post(executor_);
}

// Gives the connection back, or closes it when it cannot be used again.
void AsioExchange::Leave() {
    const bool complete = stage_ == Stage::kBody && body_.done();
    stage_ = Stage::kOver;
    timer_.Disarm();
    DropWaits();
    listener_.reset();
    ConnectionPtr connection = std::move(connection_);
    if (!connection) return;
    const bool reusable =
        complete && !stopped() && parser_.keep_alive() && connection->input().empty() &&
        !connection->output_pending() && !connection->output_failed() &&
        connection->end() == Connection::End::kOpen && connection->pool() != nullptr;
    if (!reusable) return connection->Close();
    OriginPool& pool = *connection->pool();
    pool.Release(std::move(connection), std::chrono::steady_clock::now());
}

Unexpected AsioExchange::Broken(ErrorKind kind, std::string_view code,
                                std::string_view what) const {
    Error error;
    error.kind = kind;
    error.code = code;
    error.message = request_.url.HostHeader();
    error.message += ": ";
    error.message += what;
    return Unexpected(std::move(error));
}

Unexpected AsioExchange::StopError() {
    if (stop_ == Stop::kCancelled) return Broken(ErrorKind::kCancelled, "cancelled", "cancelled");
    switch (stage_) {
        case Stage::kQueue:
            if (client_ != nullptr) client_->stats_.pool_refusals.Add(1);
            return Broken(ErrorKind::kOverloaded, "pool_exhausted",
                          "no connection came free in time");
        case Stage::kConnect:
            if (client_ != nullptr) client_->stats_.connect_failures.Add(1);
            return Broken(ErrorKind::kUpstreamTimeout, "connect_timeout", "no connection in time");
        case Stage::kRequest:
            return Broken(ErrorKind::kUpstreamTimeout, "head_timeout", "no answer in time");
        default:
            return Broken(ErrorKind::kUpstreamTimeout, "body_timeout", "the answer's body stalled");
    }
}

Unexpected AsioExchange::ConnectionError(std::string_view when) const {
    std::string what;
    switch (connection_->end()) {
        case Connection::End::kTlsFailed:
            what = "TLS failed " + std::string(when) + ": " +
                   (connection_->tls() ? connection_->tls()->problem() : std::string());
            return Broken(ErrorKind::kUpstreamFailure, "tls_failure", what);
        case Connection::End::kBroken:
            what =
                "the connection broke " + std::string(when) + ": " + connection_->error().message();
            break;
        default:
            what = "the connection was closed " + std::string(when);
            break;
    }
    return Broken(ErrorKind::kUpstreamFailure, "reset", what);
}

Result<void> AsioExchange::Compose() {
    proxy_ = client_->options_.proxy.For(request_.url);
    RequestForm form;
    form.user_agent = client_->options_.user_agent;
    if (proxy_ != nullptr && !request_.url.tls) {
        form.absolute = true;
        form.proxy_authorization = proxy_->authorization.Reveal();
    }
    return WriteRequestHead(request_, form, head_);
}

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

void AsioExchange::StartRequest() {
    stage_ = Stage::kRequest;
    written_ = written_later_ = false;
    parser_.Start(headers_, limits_.max_head_bytes, request_.method == "HEAD");
    connection_->Write(head_, request_.body);
    // Also while it is being written, so that a peer that takes nothing does not hold it for ever.
    Arm(limits_.head);
}

bool AsioExchange::MaySendAgain() const {
    if (!reused_ || sent_again_ || !connection_->input().empty()) return false;
    if (connection_->end() == Connection::End::kTlsFailed) return false;
    return std::chrono::steady_clock::now() - started_at_ <= client_->options_.resend_window;
}

AsioExchange::HeadStep AsioExchange::StepHead() {
    for (;;) {
        if (stopped()) {
            error_ = StopError().value();
            return HeadStep::kFailed;
        }
        ByteBuffer& input = connection_->input();
        if (!input.empty()) {
            const ResponseHeadParser::State state = parser_.Parse(input.view());
            if (state == ResponseHeadParser::State::kDone)
                return FinishHead() ? HeadStep::kDone : HeadStep::kFailed;
            if (state == ResponseHeadParser::State::kFailed) {
                error_ =
                    Broken(ErrorKind::kProtocolError, "bad_response", parser_.problem()).value();
                return HeadStep::kFailed;
            }
        }
        if (!written_ && !connection_->output_pending()) {
            // The limit runs from here; a request that was written at once has it already.
            if (written_later_) Arm(limits_.head);
            written_ = true;
        }
        if (connection_->end() != Connection::End::kOpen) {
            if (MaySendAgain()) return HeadStep::kSendAgain;
            error_ = ConnectionError("before the answer").value();
            return HeadStep::kFailed;
        }
        if (!connection_->WantInput()) {
            written_later_ = !written_;
            return HeadStep::kWait;
        }
    }
}

bool AsioExchange::FinishHead() {
    connection_->input().Consume(parser_.consumed());
    stage_ = Stage::kBody;
    timer_.Disarm();
    body_.Start(parser_.framing());
    if (!connection_->output_pending()) {
        // A stream may last for minutes; what was sent for it need not.
        explicit_bzero(head_.data(), head_.size());
        std::string().swap(head_);
        std::string().swap(request_.body);
        const HeaderMap sent = std::move(request_.headers);
    }
    const std::string_view coding = headers_.Find("content-encoding");
    if (coding.empty() || body_.done() || EqualsIgnoreCase(coding, "identity")) return true;
    const auto known = ContentDecoder::Parse(coding);
    if (!known) {
        stage_ = Stage::kRequest;
        error_ =
            Broken(ErrorKind::kProtocolError, "bad_response", "unknown Content-Encoding").value();
        return false;
    }
    content_ = std::make_unique<ContentDecoder>(*known);
    headers_.Remove("content-encoding");
    headers_.Remove("content-length");
    return true;
}

Task<Result<std::unique_ptr<UpstreamExchange>>> AsioExchange::Run(AsioClient& client,
                                                                  UpstreamRequest request,
                                                                  ExchangeLimits limits,
                                                                  Cancellation& cancellation) {
    if (client.stopped_ || cancellation.IsCancelled()) {
        Error error;
        error.kind = ErrorKind::kCancelled;
        error.code = "cancelled";
        error.message = "cancelled before it was sent";
        co_return Unexpected(std::move(error));
    }
    auto exchange =
        std::make_unique<AsioExchange>(client, std::move(request), limits, cancellation);
    if (Result<void> composed = exchange->Compose(); !composed)
        co_return Unexpected(std::move(composed.error()));
    for (;;) {
        if (exchange->sent_again_ || !exchange->TakePooled()) {
            Result<void> acquired = co_await exchange->Acquire();
            if (!acquired) co_return Unexpected(std::move(acquired.error()));
            exchange->started_at_ = std::chrono::steady_clock::now();
        }
        exchange->StartRequest();
        HeadStep step = exchange->StepHead();
        while (step == HeadStep::kWait) {
            co_await exchange->signal_.Wait();
            step = exchange->StepHead();
        }
        if (step == HeadStep::kDone)
            co_return std::unique_ptr<UpstreamExchange>(std::move(exchange));
        if (step == HeadStep::kFailed) co_return Unexpected(std::move(*exchange->error_));
        exchange->sent_again_ = true;
        exchange->client_->stats_.connections_stale.Add(1);
        std::exchange(exchange->connection_, nullptr)->Close();
    }
}

bool AsioExchange::Drain() {
    if (stage_ == Stage::kBody && !stopped() && connection_) {
        ByteBuffer& input = connection_->input();
        for (int turn = 0; turn < 2 && !body_.done() && !body_.failed(); ++turn) {
            if (input.empty() && !connection_->PollInput()) break;
            const BodyDecoder::Step step = body_.Decode(input.bytes());
            input.Consume(step.consumed);
        }
    }
    const bool complete = body_.done() && stage_ != Stage::kOver;
    Leave();
    return complete;
}

// Ends the exchange with an error, which later reads repeat.
Unexpected AsioExchange::Give(Unexpected error) {
    error_ = error.value();
    Leave();
    return error;
}

// What Read() has to give; nothing while it must wait.
std::optional<Result<std::string_view>> AsioExchange::StepBody() {
    for (;;) {
        if (stage_ == Stage::kOver) {
            if (error_) return Unexpected(*error_);
            return std::string_view();
        }
        if (stopped()) return Give(StopError());
        if (content_) {
            const std::string_view piece = content_->Next();
            if (content_->failed())
                return Give(Broken(ErrorKind::kProtocolError, "bad_response", content_->problem()));
            if (!piece.empty()) return piece;
        }
        if (body_.done()) {
            if (content_ && !content_->complete()) {
                return Give(Broken(ErrorKind::kUpstreamFailure, "truncated",
                                   "the compressed body was cut short"));
            }
            Leave();
            continue;
        }
        ByteBuffer& input = connection_->input();
        if (!input.empty()) {
            const BodyDecoder::Step step = body_.Decode(input.bytes());
            input.Consume(step.consumed);
            if (body_.failed())
                return Give(Broken(ErrorKind::kProtocolError, "bad_response", body_.problem()));
            const std::string_view piece(step.data.data(), step.data.size());
            if (piece.empty()) continue;
            timer_.Disarm();
            if (!content_) return piece;
            content_->Push(piece);
            continue;
        }
        const Connection::End end = connection_->end();
        if (end == Connection::End::kPeerClosed && body_.Finish()) continue;
        if (end == Connection::End::kPeerClosed || end == Connection::End::kTruncated) {
            return Give(Broken(ErrorKind::kUpstreamFailure, "truncated",
                               "the answer's body was cut short"));
        }
        if (end != Connection::End::kOpen) return Give(ConnectionError("within the answer's body"));
        if (connection_->WantInput()) continue;
        if (!timer_.armed()) Arm(limits_.body_gap);
        return std::nullopt;
    }
}

// Its frame stays small, for it is what a stream that waits stands on.
Task<Result<std::string_view>> AsioExchange::Read() {
    for (;;) {
        if (auto piece = StepBody()) co_return std::move(*piece);
        co_await signal_.Wait();
    }
}

}  // namespace aim::http::client
