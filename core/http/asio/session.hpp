#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/base/cancellation.hpp"
#include "core/http/asio/body_budget.hpp"
#include "core/http/asio/connection.hpp"
#include "core/http/asio/response_head.hpp"
#include "core/http/asio/server_options.hpp"
#include "core/http/asio/server_stats.hpp"
#include "core/http/asio/stream_writer.hpp"
#include "core/http/error_response.hpp"
#include "core/http/middleware.hpp"
#include "core/http/request_parser.hpp"
#include "core/http/router.hpp"

namespace aim::http {

// What the sessions of one loop share. Outlives them: each holds it.
struct SessionEnvironment {
    SessionEnvironment(Loop& its_loop, const ServerOptions& its_options,
                       std::shared_ptr<BodyBudget> budget, const Clock& clock)
        : loop(its_loop),
          options(its_options),
          bodies(std::move(budget)),
          errors(clock),
          date(clock) {}

    Loop& loop;
    const ServerOptions options;
    const std::shared_ptr<BodyBudget> bodies;  // of all loops
    std::shared_ptr<const Router> router;
    std::shared_ptr<const MiddlewareChain> chain;
    ErrorWriter errors;
    DateCache date;
    const std::shared_ptr<ServerStats> stats = std::make_shared<ServerStats>();
    bool draining = false;  // the loop's thread
};

// One connection from accept to close: reads a request, lets its handler answer, and again. One
// loop's thread.
class Session final {
  public:
    Session(std::shared_ptr<SessionEnvironment> environment, Connection::Socket socket,
            std::string client_address);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // The whole life of the connection.
    Task<> Run();

    // Cancels what is under way and ends the connection; Run() then returns as soon as the handler
    // does.
    void Stop(Cancellation::Reason reason);
    // The loop will not run any more: the coroutine is given up.
    void Abandon() { connection_->Abandon(); }

  private:
    enum class Next { kServeOn, kClose, kLinger };

    Task<Next> ServeOne();
    // False when the connection ended or a limit passed; else the parser has gone on: done, or
    // refused. A body that finds no room leaves it where it is.
    Task<bool> ReadHead();
    Task<bool> ReadBody();
    Task<Next> Answer(std::optional<Response> refusal);
    Task<> CallHandler();
    Task<Next> Refuse(RequestParser::Refusal refusal);
    Task<Next> GiveUpReading();
    Task<> Linger();

    RequestParser::Status Parse();
    void BeginRequest();
    std::optional<Response> BeginExchange();
    void EndExchange();
    bool WantsBody(bool refused);
    void ClientLeft();
    void ReportException(std::string_view what);

    const std::shared_ptr<SessionEnvironment> environment_;
    const std::shared_ptr<Connection> connection_;
    const std::string peer_address_;
    RequestParser parser_;
    Request request_;
    PathParameters parameters_;
    StreamWriter writer_;

    // Of the exchange under way.
    const Route* route_ = nullptr;
    std::size_t middleware_entered_ = 0;
    std::optional<Cancellation> cancellation_;
    bool body_wanted_ = true;
    BodyShare body_share_;

    bool stopped_ = false;
};

}  // namespace aim::http
