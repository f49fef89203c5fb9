#pragma once

#include <atomic>
#include <cstdint>

namespace aim::http {

// What one loop's part of a server has done, for a metrics collector: written by that loop, read by
// any thread.
struct alignas(64) ServerStats {
    using Counter = std::atomic<std::uint64_t>;

    Counter connections_open{0};
    Counter connections_accepted{0};
    Counter connections_refused{0};  // beyond max_connections
    Counter accept_errors{0};        // out of file descriptors or memory
    Counter requests{0};             // heads that were understood
    Counter requests_in_flight{0};   // head complete, answer not
    Counter requests_refused{0};     // malformed, too large, too slow, no room for the body
    Counter clients_left{0};         // while an answer was pending
    Counter idle_closed{0};
    Counter write_stalled{0};
    Counter handler_exceptions{0};

    static void Add(Counter& counter, std::uint64_t n = 1) {
        counter.fetch_add(n, std::memory_order_relaxed);
    }
    static void Take(Counter& counter) { counter.fetch_sub(1, std::memory_order_relaxed); }
};

// The sum over all loops at some moment.
struct ServerTotals {
    std::uint64_t connections_open = 0;
    std::uint64_t connections_accepted = 0;
    std::uint64_t connections_refused = 0;
    std::uint64_t accept_errors = 0;
    std::uint64_t requests = 0;
    std::uint64_t requests_in_flight = 0;
    std::uint64_t requests_refused = 0;
    std::uint64_t clients_left = 0;
    std::uint64_t idle_closed = 0;
    std::uint64_t write_stalled = 0;
    std::uint64_t handler_exceptions = 0;
    std::uint64_t bodies_bytes = 0;  // see ServerOptions; not a loop's

    void Add(const ServerStats& stats) {
        const auto read = [](const ServerStats::Counter& counter) {
            return counter.load(std::memory_order_relaxed);
        };
        connections_open += read(stats.connections_open);
        connections_accepted += read(stats.connections_accepted);
        connections_refused += read(stats.connections_refused);
        accept_errors += read(stats.accept_errors);
        requests += read(stats.requests);
        requests_in_flight += read(stats.requests_in_flight);
        requests_refused += read(stats.requests_refused);
        clients_left += read(stats.clients_left);
        idle_closed += read(stats.idle_closed);
        write_stalled += read(stats.write_stalled);
        handler_exceptions += read(stats.handler_exceptions);
    }
};

}  // namespace aim::http
