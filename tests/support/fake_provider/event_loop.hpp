// One thread's epoll loop: accepts, reads, writes, and calls connections when their time has come.
#pragma once

#include <cstdint>
#include <memory>
#include <queue>
#include <unordered_map>
#include <vector>

#include "tests/support/fake_provider/connection.hpp"

namespace aim::testing {

class EventLoop final : public LoopTimers {
  public:
    // Owns the listening socket. `first_id` and `id_step` keep the connections' ids apart among the
    // loops.
    EventLoop(int listener, SSL_CTX* context, ServerState& state, std::uint64_t first_id,
              std::uint64_t id_step);
    ~EventLoop() override;

    void Run();   // until Stop
    void Stop();  // from any thread

    void At(LoopClock::time_point when, std::uint64_t connection_id, std::uint64_t token) override;

  private:
    struct Timer {
        LoopClock::time_point when;
        std::uint64_t connection_id;
        std::uint64_t token;
        bool operator>(const Timer& other) const { return when > other.when; }
    };

    void Accept();
    void RunTimers();
    int WaitMilliseconds() const;

    int listener_;
    int epoll_;
    int wake_;
    SSL_CTX* context_;
    ServerState& state_;
    Answerer answerer_;
    std::uint64_t next_id_;
    std::uint64_t id_step_;
    std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
    std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
};

}  // namespace aim::testing
