#include "core/http/pistache/session.hpp"

#include <cerrno>
#include <charconv>
#include <ctime>
#include <exception>

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace aim::http::pistache {
namespace {

constexpr std::size_t kDiscardLimit = 64 * 1024 * 1024;
constexpr std::chrono::seconds kDiscardTime{5};

RequestParser::Limits ParserLimits(const ServerOptions& options) {
    RequestParser::Limits limits;
    limits.body_bytes = options.max_body_bytes;
    return limits;
}

void AppendNumber(std::string& out, std::size_t value) {
    char digits[24];
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
    out.append(digits, end);
}

// The Date header's value, made once a second and thread.
std::string_view DateNow() {
    thread_local std::time_t made_for = 0;
    thread_local char text[32];
    const std::time_t now = std::time(nullptr);
    if (now != made_for) {
        std::tm parts{};
        gmtime_r(&now, &parts);
        std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
        made_for = now;
    }
    return text;
}

ErrorAnswer Saying(std::string_view code, std::string_view message) {
    ErrorAnswer answer;
    answer.code = code;
    answer.message = message;
    return answer;
}

bool HasNoBody(int status) { return status == 204 || status == 304 || status < 200; }

}  // namespace

Session::Session(ServerContext& context, int socket, std::string client_address)
    : context_(context),
      socket_(socket),
      parser_(ParserLimits(context.options)),
      since_(SystemClock().Now()) {
    request_.client_address = std::move(client_address);
    if (context_.connections.fetch_add(1) >= context_.options.max_connections) Shutdown();
}

Session::~Session() { context_.connections.fetch_sub(1); }

void Session::Shutdown() {
    state_ = State::kClosed;
    ::shutdown(socket_, SHUT_RDWR);
}

void Session::OnInput(std::string_view bytes) {
    try {
        if (state_ == State::kServing) {
            if (pending_.empty()) {
                Serve(bytes);
            } else {
                std::string input = std::move(pending_);
                pending_.clear();
                input.append(bytes);
                Serve(input);
            }
        } else if (state_ == State::kDiscarding) {
            discarded_ += bytes.size();
            if (discarded_ > kDiscardLimit) Shutdown();
        }
    } catch (const std::exception& exception) {
        // Out of memory at most; an exception must not reach the reactor, which would end the
        // process.
        context_.logger.Error("connection_failed", "A connection was given up",
                              {{"reason", exception.what()}});
        Shutdown();
    }
}

void Session::Serve(std::string_view input) {
    while (state_ == State::kServing) {
        if (!request_begun_ && !input.empty()) {
            request_begun_ = true;
            since_ = SystemClock().Now();
        }
        switch (parser_.Parse(input, request_)) {
            case RequestParser::Status::kNeedMore:
                pending_.assign(input);
                return;
            case RequestParser::Status::kHead:
                request_.received_at = SystemClock().Now();
                // The client waits for this line before it sends the body; it has waited for
                // nothing when the body is here already.
                if (parser_.expects_continue() && input.empty() &&
                    !WriteAll("HTTP/1.1 100 Continue\r\n\r\n", {}))
                    Shutdown();
                break;
            case RequestParser::Status::kComplete:
                Answer();
                break;
            case RequestParser::Status::kRefused: {
                const RequestParser::Refusal& refusal = parser_.refusal();
                Refuse(refusal.status, refusal.code, refusal.message);
                return;
            }
        }
    }
}

void Session::Answer() {
    const Route* route = nullptr;
    std::size_t entered = 0;
    Response response = Dispatch(route, entered);
    context_.chain.After(request_, route, response, entered);
    const bool keep_alive =
        parser_.keep_alive() && !context_.draining.load(std::memory_order_relaxed);
    if (!WriteResponse(response, keep_alive)) {
        Shutdown();
        return;
    }
    if (!keep_alive) {
        BeginDiscard();
        return;
    }
    parser_.Reset();
    const std::size_t body_size = request_.body.capacity();
    request_.Clear();
    // One large batch should not keep its memory for as long as the connection lives.
    if (body_size > 256 * 1024) request_.body.shrink_to_fit();
    request_begun_ = false;
    since_ = SystemClock().Now();
}

Response Session::Dispatch(const Route*& route, std::size_t& entered) {
    try {
        const Router::Match match =
            context_.router.Find(request_.method, request_.path(), parameters_);
        route = match.route;
        if (auto early = context_.chain.Before(request_, route, entered)) return std::move(*early);
        if (route == nullptr) return context_.errors.NoRoute(request_, match.allow);
        if (const auto* handler = std::get_if<PlainHandler>(&route->handler))
            return (*handler)(request_, parameters_);
        return context_.errors.Write(route->policy.protocol, request_.request_id,
                                     Saying("not_implemented", "This server does not stream."));
    } catch (const std::exception& exception) {
        context_.logger.Error("handler_failed", "A handler threw",
                              {{"request_id", request_.request_id}, {"reason", exception.what()}});
    } catch (...) {
        context_.logger.Error("handler_failed", "A handler threw",
                              {{"request_id", request_.request_id}});
    }
    return context_.errors.Write(ProtocolFor(request_, route), request_.request_id,
                                 Saying("internal", "Something went wrong on our side."));
}

void Session::Refuse(int status, std::string_view code, std::string_view message) {
    context_.chain.Refused(request_);
    Response response = context_.errors.Write(ProtocolFor(request_, nullptr), request_.request_id,
                                              Saying(code, message));
    response.status = status;
    context_.chain.After(request_, nullptr, response);
    if (WriteResponse(response, false)) {
        BeginDiscard();
    } else {
        Shutdown();
    }
}

void Session::BeginDiscard() {
    state_ = State::kDiscarding;
    since_ = SystemClock().Now();
    discarded_ = 0;
    // Closing with unread bytes would reset the connection and destroy the answer on its way.
    ::shutdown(socket_, SHUT_WR);
}

void Session::OnScan(MonotonicTime now) {
    try {
        switch (state_) {
            case State::kServing:
                if (request_begun_) {
                    if (now - since_ >= context_.options.receive_timeout) {
                        Refuse(408, "request_timeout", "The request did not arrive in time.");
                    }
                } else if (context_.draining.load(std::memory_order_relaxed) ||
                           now - since_ >= context_.options.idle_timeout) {
                    Shutdown();
                }
                break;
            case State::kDiscarding:
                if (now - since_ >= kDiscardTime) Shutdown();
                break;
            case State::kClosed:
                break;
        }
    } catch (const std::exception& exception) {
        context_.logger.Error("connection_failed", "A connection was given up",
                              {{"reason", exception.what()}});
        Shutdown();
    }
}

bool Session::WriteResponse(const Response& response, bool keep_alive) {
    head_.assign("HTTP/1.1 ");
    AppendNumber(head_, static_cast<std::size_t>(response.status));
    head_.push_back(' ');
    head_.append(ReasonPhrase(response.status));
    for (std::size_t i = 0; i < response.headers.size(); ++i) {
        const HeaderMap::Field field = response.headers[i];
        head_.append("\r\n").append(field.name).append(": ").append(field.value);
    }
    head_.append("\r\nDate: ").append(DateNow());
    if (!HasNoBody(response.status)) {
        head_.append("\r\nContent-Length: ");
        AppendNumber(head_, response.body.size());
    }
    // Said in both cases: HTTP/1.0 clients that asked for keep-alive need to hear it.
    head_.append(keep_alive ? "\r\nConnection: keep-alive\r\n\r\n"
                            : "\r\nConnection: close\r\n\r\n");
    const bool body = !HasNoBody(response.status) && request_.method != Method::kHead;
    return WriteAll(head_, body ? std::string_view(response.body) : std::string_view());
}

// Straight to the socket, on the reactor's own thread, never through Pistache's queue: that one
// addresses by socket number, so a late write could reach another client, and has no bound. A full
// socket is waited for; only progress prolongs the wait.
bool Session::WriteAll(std::string_view head, std::string_view body) {
    while (!head.empty() || !body.empty()) {
        iovec parts[2] = {{const_cast<char*>(head.data()), head.size()},
                          {const_cast<char*>(body.data()), body.size()}};
        msghdr message{};
        message.msg_iov = parts;
        message.msg_iovlen = 2;
        const ssize_t sent = ::sendmsg(socket_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0) {
            const std::size_t of_head = std::min(head.size(), static_cast<std::size_t>(sent));
            head.remove_prefix(of_head);
            body.remove_prefix(static_cast<std::size_t>(sent) - of_head);
            continue;
        }
        if (errno == EINTR) continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK) return false;
        pollfd descriptor{};
        descriptor.fd = socket_;
        descriptor.events = POLLOUT;
        const int ready =
            ::poll(&descriptor, 1, static_cast<int>(context_.options.write_timeout.count()));
        if (ready == 0 || (ready < 0 && errno != EINTR)) return false;
    }
    return true;
}

}  // namespace aim::http::pistache
