#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "core/base/clock.hpp"
#include "core/base/error_kind.hpp"
#include "core/base/uuid.hpp"

namespace aim::completion {

// What became of one attempt or probe: the ledger's record (contract.md, POST /ledger). The id is
// made where the attempt was made.
struct Outcome {
    Uuid id;
    std::string request_id;
    Uuid model_id;
    std::string provider;
    std::optional<ErrorKind> error;  // absent = success
    bool counts = true;              // false: the caller's fault, changes no rating
    std::chrono::microseconds response_time{0};
    std::optional<std::chrono::milliseconds> first_content;
    std::optional<std::int64_t> prompt_tokens;
    std::optional<std::int64_t> completion_tokens;
    std::string cost;  // decimal USD, empty = unknown
    bool probe = false;
    WallTime occurred_at{};
};

enum class HistoryStatus { kSuccess, kError, kTimeout, kCancelled };

// One prompt, answered or not, as the history keeps it.
struct HistoryRecord {
    Uuid id;
    std::string request_id;
    std::string user_id;
    std::optional<std::int64_t> user_telegram_id;
    std::string username;
    std::string key_id;
    std::string prompt_text;
    std::string response_text;
    std::optional<Uuid> model_id;
    std::string model_name;
    std::chrono::milliseconds duration{0};
    HistoryStatus status = HistoryStatus::kSuccess;
    std::string error_message;
    std::optional<std::int64_t> prompt_tokens;
    std::optional<std::int64_t> completion_tokens;
    int attempts = 0;
    WallTime created_at{};
};

}  // namespace aim::completion
