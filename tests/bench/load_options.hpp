// The load generator's command line.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "tests/bench/stream_watch.hpp"

namespace aim::bench {

struct LoadOptions {
    std::string host;
    std::uint16_t port = 0;
    std::string request;  // head and body, with a place for the nonce unless that is not wanted
    std::size_t connections = 1;
    std::chrono::milliseconds duration{0};  // with max_requests: whichever comes first
    std::uint64_t max_requests = 0;         // 0: no limit
    std::chrono::milliseconds warm_up{0};   // answers in this time are not counted
    double rate = 0;                        // requests a second, open loop; 0: closed loop
    bool stream = false;
    StreamRules rules;
};

extern const char* const kLoadUsage;

// Nothing when the arguments are wrong.
std::optional<LoadOptions> ReadLoadOptions(int argc, char** argv);

}  // namespace aim::bench
