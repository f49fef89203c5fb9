#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "core/http/asio/connection.hpp"
#include "core/http/asio/response_head.hpp"
#include "core/http/handler.hpp"
#include "core/http/middleware.hpp"

namespace aim::http {

// Writes the answers of one connection, one exchange after the other. Head and body leave in one
// system call; a big body is not copied. One loop's thread; lives in its session.
class StreamWriter final : public ResponseWriter {
  public:
    // All outlive the writer. While `draining` holds, every answer is its connection's last.
    StreamWriter(Connection& connection, const MiddlewareChain& chain, DateCache& date,
                 const bool& draining, std::chrono::milliseconds write_stall)
        : connection_(connection),
          chain_(chain),
          date_(date),
          draining_(draining),
          write_stall_(write_stall) {}

    struct Exchange {
        const Request* request = nullptr;
        const Route* route = nullptr;
        std::size_t middleware_entered = 0;
        bool http_1_0 = false;
        bool keep_alive = true;
        bool nobody = false;  // the client left: nothing is written any more
    };
    void Begin(const Exchange& exchange);
    Exchange& exchange() { return exchange_; }

    Task<bool> Send(Response response) override;
    Task<bool> Start(Response head) override;
    Task<bool> Write(std::string_view piece) override;
    Task<bool> Finish() override;
    void Abort() override;
    bool started() const override { return state_ != State::kFresh; }

    // The answer is out as its handler wanted it, so the connection can go on.
    bool complete() const {
        return state_ == State::kDone && exchange_.keep_alive && !connection_.broken();
    }
    bool finished() const { return state_ == State::kDone || state_ == State::kAborted; }

  private:
    enum class State { kFresh, kStreaming, kDone, kAborted };

    ConnectionHeader HeaderOfConnection() const;
    bool Gone() const { return exchange_.nobody || connection_.broken(); }
    void MakeHead(Response& response, Framing framing);

    Connection& connection_;
    const MiddlewareChain& chain_;
    DateCache& date_;
    const bool& draining_;
    const std::chrono::milliseconds write_stall_;
    Exchange exchange_;
    State state_ = State::kFresh;
    Framing framing_ = Framing::kLength;
    std::string head_;
};

}  // namespace aim::http
