#pragma once

#include <atomic>
#include <cstdint>

namespace aim::http::client {

// A number that one thread writes and any thread reads; a plain addition, without a locked
// instruction.
class LoopCounter {
  public:
    void Add(std::int64_t amount) {
        value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
    }
    std::int64_t Value() const { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::int64_t> value_{0};
};

// What one client does. Written by its loop; may be read by any thread while the client lives.
struct ClientStats {
    LoopCounter connections_open;     // now: connecting, in use or idle
    LoopCounter connections_idle;     // now
    LoopCounter connections_created;  // since the start, successful connects
    LoopCounter connections_reused;   // exchanges that took a pooled connection
    LoopCounter
        connections_stale;  // reused ones that turned out to be closed, and were tried again
    LoopCounter connect_failures;
    LoopCounter pool_waits;     // exchanges that had to queue for a connection
    LoopCounter pool_refusals;  // those whose queue was full or whose time ran out
    LoopCounter waiting;        // in a pool's queue now
    LoopCounter exchanges;      // begun
    LoopCounter tls_handshakes;
    LoopCounter tls_resumptions;
};

}  // namespace aim::http::client
