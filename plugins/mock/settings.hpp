// The row settings of a mock model: how fast, how long and how broken it answers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "aim/sdk/session.hpp"

namespace aim::mock {

struct Settings {
    std::uint64_t latency_ms = 0;
    std::uint64_t jitter_ms = 0;
    double error_rate = 0;
    sdk::ErrorKind error_kind = sdk::ErrorKind::kUpstreamFailure;
    double tokens_per_second = 0;  // 0 = all at once
    std::optional<std::uint64_t> answer_tokens;
    std::optional<std::string> answer_text;
    std::optional<std::uint64_t> stall_after_tokens;
    std::optional<std::uint64_t> cut_after_tokens;
    std::optional<std::uint64_t> seed;
};

// Nullopt after call.Fail() with the setting's name as `field`. Names that are not the mock's are
// somebody else's (the host's, or another provider's whose rows the mock plays) and are left alone.
std::optional<Settings> ParseSettings(const sdk::Call& call, std::string_view row_settings);

}  // namespace aim::mock
