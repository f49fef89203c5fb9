// One client connection: reads requests, writes the plans of their answers in order. Lives on its
// loop's thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/support/fake_provider/answerer.hpp"
#include "tests/support/fake_provider/http_request.hpp"
#include "tests/support/fake_provider/transport.hpp"

namespace aim::testing {

using LoopClock = std::chrono::steady_clock;

// What the connection needs from its loop.
class LoopTimers {
  public:
    virtual ~LoopTimers() = default;
    // Calls the connection's OnTimer with the token at the time, unless it is gone by then.
    virtual void At(LoopClock::time_point when, std::uint64_t connection_id,
                    std::uint64_t token) = 0;
};

class Connection {
  public:
    Connection(int socket, SSL_CTX* context, std::uint64_t id, ServerState& state,
               Answerer& answerer, LoopTimers& timers);
    ~Connection();

    // False: it is over, destroy it.
    [[nodiscard]] bool OnReady(bool peer_closed);
    [[nodiscard]] bool OnTimer(std::uint64_t token);

  private:
    enum class Next { kWait, kGoOn, kOver };

    Next ReadAll(bool peer_closed);
    Next StartRequest();
    Next Write();
    Next FinishAnswer();
    bool Run();
    void WaitFor(std::chrono::milliseconds delay);
    void ClientLeft();

    ServerState& state_;
    Answerer& answerer_;
    LoopTimers& timers_;
    Transport transport_;
    const std::uint64_t id_;
    std::string server_name_;
    bool ready_ = false;  // the handshake is done

    std::string input_;
    std::size_t needed_ = 1;
    bool continue_sent_ = false;
    HttpRequest request_;

    AnswerPlanPtr plan_;
    std::uint64_t record_id_ = 0;
    LoopClock::time_point asked_at_;
    LoopClock::time_point due_;  // when the current piece was or is due
    std::size_t piece_ = 0;
    std::size_t offset_ = 0;
    bool delay_over_ = false;
    bool waiting_ = false;  // for the timer with the newest token
    std::uint64_t timer_token_ = 0;
};

}  // namespace aim::testing
