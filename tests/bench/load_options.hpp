// The load generator's command line.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace aim::bench {

struct LoadOptions {
    std::string host;
    std::uint16_t port = 0;
    std::string request;  // head and body, as sent
    std::size_t connections = 1;
    std::chrono::milliseconds duration{0};  // with max_requests: whichever comes first
    std::uint64_t max_requests = 0;         // 0: no limit
    std::chrono::milliseconds warm_up{0};   // answers in this time are not counted
    bool stream = false;
    std::size_t expected_deltas = 64;
    std::chrono::milliseconds stall_limit{200};
};

extern const char* const kLoadUsage;

// Nothing when the arguments are wrong.
std::optional<LoadOptions> ReadLoadOptions(int argc, char** argv);

}  // namespace aim::bench
