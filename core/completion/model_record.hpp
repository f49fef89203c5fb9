#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.hpp"
#include "core/base/uuid.hpp"

namespace aim::completion {

// A row of the data API's models, as the gateway keeps it (contract.md, "Data API"). Counters are
// exact sums; the scores that people see are made from them by core/rating.
struct ModelRecord {
    Uuid id;
    std::string name;
    std::string provider;
    std::string endpoint;
    std::string upstream_model;
    bool is_active = true;
    std::string settings = "{}";  // JSON object text
    std::optional<std::int64_t> context_window;
    // Absent = assume all.
    std::optional<std::vector<std::string>> capabilities;
    std::string input_price_per_million;  // decimal USD, empty = unknown
    std::string output_price_per_million;
    bool has_api_key = false;
    // The row's own key, encrypted (Base64), and under which master key; only when the data API was
    // asked for it.
    std::string api_key_ciphertext;
    std::string api_key_key_id;

    std::int64_t total_requests = 0;
    std::int64_t successful_requests = 0;
    std::int64_t failed_requests = 0;
    std::int64_t response_time_sum_us = 0;
    std::int64_t timed_requests = 0;
    std::optional<WallTime> last_check_at;
    std::optional<WallTime> last_success_at;
    std::optional<WallTime> created_at;
    std::int64_t version = 0;                       // grows with every change of the row
    std::optional<std::int64_t> last_24h_requests;  // when it was asked for
};

}  // namespace aim::completion
