#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "core/config/reader.hpp"
#include "core/runtime/options.hpp"

namespace aim::health_worker {

// The configuration of the health worker (contract.md, "Variables and defaults"), read once at
// start.
struct Options : runtime::Options {
    std::string host;
    std::uint16_t port = 8002;
    std::chrono::seconds interval{3600};

    // Reads everything; what is wrong is in reader.errors(), all of it.
    static Options Read(config::Reader& reader);
};

}  // namespace aim::health_worker
