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
