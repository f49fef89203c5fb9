#pragma once

#include <cstdint>
#include <string_view>

namespace aim::probe {

// What a row says of its probes (contract.md, "Settings of a row").
struct ProbePolicy {
    static constexpr std::int64_t kMaxTokens = 16;  // when the row does not say
    // Nobody needs more to see that a model answers; a larger wish is cut.
    static constexpr std::int64_t kMostTokens = 4096;

    bool enabled = true;
    std::int64_t max_tokens = kMaxTokens;

    // `settings` is the row's JSON object. What cannot be read is as if it were not there.
    static ProbePolicy Read(std::string_view settings);
};

}  // namespace aim::probe
