// What a run of the load generator found, as one line of JSON.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/bench/latencies.hpp"
#include "tests/bench/stream_watch.hpp"

namespace aim::bench {

struct RequestReport {
    Latencies latencies;             // of the good answers after the warm-up
    std::uint64_t answers = 0;       // all whole ones, the warm-up's too
    std::uint64_t errors = 0;        // everything else, wrong nonces among them
    std::uint64_t wrong_nonces = 0;  // a whole 200 that answers another prompt, or none
    double seconds = 0;              // without the warm-up

    // Open loop.
    double rate = 0;
    std::uint64_t unanswered = 0;  // still open when the run was over
    std::uint64_t backlog = 0;     // the most requests that waited for a free connection

    bool Good() const;
    // To be called once.
    std::string Json();
};

struct StreamReport {
    std::size_t streams = 0;
    std::size_t complete = 0;
    std::size_t lost = 0;  // not one delta
    std::size_t incomplete = 0;
    std::size_t stalled = 0;  // with a gap over the limit
    std::size_t disordered = 0;
    std::size_t wrong_nonces = 0;
    std::size_t deltas = 0;
    std::size_t lost_deltas = 0;
    std::size_t late_deltas = 0;
    std::size_t stalled_deltas = 0;
    std::chrono::nanoseconds longest_gap{0};
    Latencies first_delta;
    Latencies lateness;  // of each delta behind the provider's pace
    double seconds = 0;

    void Add(const StreamWatch& watch, bool failed, const StreamRules& rules);
    bool Good() const { return complete == streams; }
    std::string Json();
};

}  // namespace aim::bench
