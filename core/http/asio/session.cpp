#include "core/http/asio/session.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace aim::http {
namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr RequestParser::Refusal kTooSlow = {408, "request_timeout",
                                             "The request did not arrive in time."};
constexpr RequestParser::Refusal kNoRoom = {
    503, "overloaded", "Too many large requests are under way; send this one again later."};

MonotonicTime Now() { return std::chrono::steady_clock::now(); }

std::size_t BufferLimit(const ServerOptions& options) {
    return std::max(
        {options.pipeline_bytes, options.request.head_bytes, options.request.trailer_bytes});
}

}  // namespace

Session::Session(std::shared_ptr<SessionEnvironment> environment, Connection::Socket socket,
                 std::string client_address)
    : environment_(std::move(environment)),
      connection_(std::make_shared<Connection>(environment_->loop, std::move(socket),
                                               BufferLimit(environment_->options))),
      peer_address_(std::move(client_address)),
      parser_(environment_->options.request),
      writer_(*connection_, *environment_->chain, environment_->date, environment_->draining,
              environment_->options.write_stall),
      body_share_(*environment_->bodies) {}

Session::~Session() {
    EndExchange();
    connection_->Close();
}

void Session::Stop(Cancellation::Reason reason) {
    if (stopped_) return;
    stopped_ = true;
    writer_.exchange().nobody = true;
    connection_->Stop();
    if (cancellation_) cancellation_->Cancel(reason);
}

Task<> Session::Run() {
    try {
        Next next = Next::kServeOn;
        while (next == Next::kServeOn) next = co_await ServeOne();
        if (next == Next::kLinger) co_await Linger();
    } catch (const std::exception& exception) {
        // Out of memory, mostly: this connection ends, the others go on.
        ReportException(exception.what());
    } catch (...) {
        ReportException("unknown exception");
    }
    EndExchange();
    connection_->Close();
}

Task<Session::Next> Session::ServeOne() {
    BeginRequest();
    if (!co_await ReadHead()) co_return co_await GiveUpReading();
    if (parser_.refused()) co_return co_await Refuse(parser_.refusal());
    std::optional<Response> refusal = BeginExchange();
    if (!parser_.body_done() && WantsBody(refusal.has_value())) {
        if (!co_await ReadBody()) co_return co_await GiveUpReading();
        if (parser_.refused()) co_return co_await Refuse(parser_.refusal());
        if (!parser_.body_done()) co_return co_await Refuse(kNoRoom);
    }
    connection_->SetDeadline(MonotonicTime::max());
    const Next next = co_await Answer(std::move(refusal));
    EndExchange();
    co_return next;
}

void Session::BeginRequest() {
    parser_.Reset();
    request_.Clear();
    if (request_.client_address != peer_address_) request_.client_address = peer_address_;
    route_ = nullptr;
    middleware_entered_ = 0;
    body_wanted_ = true;
}

RequestParser::Status Session::Parse() {
    std::string_view input = connection_->input();
    const RequestParser::Status status = parser_.Parse(input, request_);
    connection_->KeepInput(input);
    return status;
}

Task<bool> Session::ReadHead() {
    const ServerOptions& options = environment_->options;
    bool begun = false;
    connection_->SetDeadline(Now() + options.idle_timeout);
    while (Parse() == RequestParser::Status::kNeedMore) {
        if (!begun && parser_.started()) {
            begun = true;
            connection_->SetDeadline(Now() + options.head_timeout);
        }
        if (!co_await connection_->WaitForInput()) co_return false;
    }
    co_return true;
}

Task<bool> Session::ReadBody() {
    const ServerOptions& options = environment_->options;
    if (parser_.expects_continue() && connection_->input().empty()) {
        iovec piece = {const_cast<char*>(kContinue.data()), kContinue.size()};
        if (!co_await connection_->Write(&piece, 1, options.write_stall)) co_return false;
    }
    connection_->ExpectMore(parser_.chunked() ? options.request.body_bytes
                                              : parser_.body_remaining());
    const MonotonicTime since = Now();
    bool waited = false;
    while (Parse() == RequestParser::Status::kNeedMore) {
        // As long as a body comes at a decent rate it may take its time.
        const std::chrono::seconds earned(request_.body.size() /
                                          std::max<std::size_t>(1, options.body_bytes_per_second));
        connection_->SetDeadline(
            std::min(Now() + options.body_stall, since + options.body_timeout + earned));
        if (!co_await connection_->WaitForInput()) co_return false;
        waited = true;
        if (!body_share_.Grow(request_.body.size() + connection_->input().size())) break;
    }
    // A client's slow line is neither the gateway's time nor a model's.
    if (waited) request_.received_at = Now();
    // The answer may take minutes.
    connection_->ShrinkInput();
    co_return true;
}

// Routes the request and asks the middleware, while the body may still be on its way. A response:
// the handler is not asked.
std::optional<Response> Session::BeginExchange() {
    ServerStats::Add(environment_->stats->requests);
    ServerStats::Add(environment_->stats->requests_in_flight);
    request_.received_at = Now();
    cancellation_.emplace();
    connection_->OnEnd([this] { ClientLeft(); });
    const Router::Match match =
        environment_->router->Find(request_.method, request_.path(), parameters_);
    route_ = match.route;
    std::optional<Response> refusal =
        environment_->chain->Before(request_, route_, middleware_entered_);
    if (!refusal && route_ == nullptr)
        refusal = environment_->errors.NoRoute(request_, match.allow);
    return refusal;
}

void Session::EndExchange() {
    if (!cancellation_) return;
    cancellation_.reset();
    connection_->OnEnd(nullptr);
    body_share_.Reset();
    ServerStats::Take(environment_->stats->requests_in_flight);
}

// The body of a refused request is read only where that is cheaper than a new connection: the
// client is sending it anyhow and it is small.
bool Session::WantsBody(bool refused) {
    body_wanted_ = !refused || (!parser_.expects_continue() && !parser_.chunked() &&
                                parser_.body_remaining() <= environment_->options.discard_bytes);
    return body_wanted_;
}

void Session::ClientLeft() {
    ServerStats::Add(environment_->stats->clients_left);
    writer_.exchange().nobody = true;
    cancellation_->Cancel(Cancellation::Reason::kClientLeft);
}

Task<Session::Next> Session::Answer(std::optional<Response> refusal) {
    StreamWriter::Exchange exchange;
    exchange.request = &request_;
    exchange.route = route_;
    exchange.middleware_entered = middleware_entered_;
    exchange.http_1_0 = parser_.http_1_0();
    exchange.keep_alive = parser_.keep_alive() && body_wanted_;
    exchange.nobody = stopped_;
    writer_.Begin(exchange);
    if (refusal) {
        Response response = std::move(*refusal);
        co_await writer_.Send(std::move(response));
    } else {
        co_await CallHandler();
    }
    if (connection_->write_stalled()) ServerStats::Add(environment_->stats->write_stalled);
    if (stopped_ || connection_->broken() || connection_->ended()) co_return Next::kClose;
    if (writer_.complete()) co_return Next::kServeOn;
    // Who asked for the end is waiting for it, not sending; anyone else may be, and a plain close
    // would then destroy the answer on its way.
    const bool clients_wish = !parser_.keep_alive() && body_wanted_ && connection_->input().empty();
    co_return clients_wish ? Next::kClose : Next::kLinger;
}

Task<> Session::CallHandler() {
    bool failed = false;
    std::string what;
    try {
        if (const auto* plain = std::get_if<PlainHandler>(&route_->handler)) {
            Response response = (*plain)(request_, parameters_);
            co_await writer_.Send(std::move(response));
        } else {
            connection_->Watch();
            Exchange exchange{request_, parameters_, writer_, *cancellation_};
            co_await std::get<StreamHandler>(route_->handler)(exchange);
        }
    } catch (const std::exception& exception) {
        failed = true;
        what = exception.what();
    } catch (...) {
        failed = true;
        what = "unknown exception";
    }
    if (failed) {
        ReportException(what);
        writer_.exchange().keep_alive = false;
    }
    if (writer_.finished()) co_return;
    if (writer_.started()) {
        writer_.Abort();
        co_return;
    }
    writer_.exchange().keep_alive = false;
    ErrorAnswer answer;
    answer.code = "internal";
    answer.message = "The request failed inside the server.";
    Response response =
        environment_->errors.Write(route_->policy.protocol, request_.request_id, answer);
    co_await writer_.Send(std::move(response));
}

Task<Session::Next> Session::Refuse(RequestParser::Refusal refusal) {
    ServerStats::Add(environment_->stats->requests_refused);
    if (!cancellation_) {
        environment_->chain->Refused(request_);
        middleware_entered_ = environment_->chain->size();
    }
    StreamWriter::Exchange exchange;
    exchange.request = &request_;
    exchange.route = route_;
    exchange.middleware_entered = middleware_entered_;
    exchange.keep_alive = false;
    writer_.Begin(exchange);
    ErrorAnswer answer;
    answer.code = refusal.code;
    answer.message = refusal.message;
    Response response =
        environment_->errors.Write(ProtocolFor(request_, route_), request_.request_id, answer);
    const bool sent = co_await writer_.Send(std::move(response));
    request_.DropBody();
    EndExchange();
    co_return sent ? Next::kLinger : Next::kClose;
}

Task<Session::Next> Session::GiveUpReading() {
    if (!connection_->timed_out() || connection_->broken()) co_return Next::kClose;
    if (parser_.started()) co_return co_await Refuse(kTooSlow);
    ServerStats::Add(environment_->stats->idle_closed);
    co_return Next::kClose;
}

Task<> Session::Linger() {
    const ServerOptions& options = environment_->options;
    connection_->OnEnd(nullptr);
    connection_->HalfClose();
    connection_->ExpectMore(options.linger_bytes);
    connection_->SetDeadline(Now() + options.linger_timeout);
    std::size_t discarded = 0;
    do {
        discarded += connection_->input().size();
        connection_->KeepInput({});
    } while (discarded <= options.linger_bytes && co_await connection_->WaitForInput());
}

void Session::ReportException(std::string_view what) {
    ServerStats::Add(environment_->stats->handler_exceptions);
    if (environment_->options.on_exception)
        environment_->options.on_exception(request_.request_id, what);
}

}  // namespace aim::http
