#pragma once

#include <atomic>
#include <string>
#include <string_view>

#include "core/base/clock.hpp"
#include "core/http/error_response.hpp"
#include "core/http/handler.hpp"
#include "core/http/pistache/pistache_server.hpp"
#include "core/http/request_parser.hpp"

namespace aim::http::pistache {

// What all sessions of a server share.
struct ServerContext {
    ServerOptions options;
    const Router& router;
    const MiddlewareChain& chain;
    telemetry::Logger& logger;
    ErrorWriter errors{};
    std::atomic<bool> draining{false};
    std::atomic<std::size_t> connections{0};
};

// One connection: bytes in, answers out, on its reactor's thread only. Knows the socket by number
// and never closes it: the reactor does, when it sees the end that Shutdown() makes it see.
class Session {
  public:
    Session(ServerContext& context, int socket, std::string client_address);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // What the client sent. Answers every request that is complete with it, in order, before it
    // returns. Does not throw.
    void OnInput(std::string_view bytes);

    // Looks at the time limits; to be called every now and then.
    void OnScan(MonotonicTime now);

    // Makes the reactor see the end of the connection.
    void Shutdown();

  private:
    enum class State {
        kServing,
        kDiscarding,  // answered for the last time and half closed: what still comes is dropped, so
                      // that the client can read the answer
        kClosed,
    };

    void Serve(std::string_view input);
    void Answer();
    Response Dispatch(const Route*& route, std::size_t& entered);
    void Refuse(int status, std::string_view code, std::string_view message);
    void BeginDiscard();
    bool WriteResponse(const Response& response, bool keep_alive);
    bool WriteAll(std::string_view head, std::string_view body);

    ServerContext& context_;
    const int socket_;
    State state_ = State::kServing;
    RequestParser parser_;
    Request request_;
    PathParameters parameters_;
    std::string pending_;  // bytes that the parser left for the next call
    std::string head_;     // reused
    MonotonicTime since_;  // of the idle time, of the request's first byte, or of the discarding
    bool request_begun_ = false;
    std::size_t discarded_ = 0;
};

}  // namespace aim::http::pistache
