#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.hpp"
#include "core/base/result.hpp"
#include "core/base/uuid.hpp"
#include "core/json/value.hpp"
#include "services/data_api/records/history_record.hpp"

namespace aim::data_api {

// A row of request_outcomes.
struct OutcomeRow {
    Uuid id;
    std::optional<std::string> request_id;
    Uuid model_id;
    std::optional<std::string> provider;
    std::string outcome;  // "success" or an error kind
    bool counts = true;
    std::optional<std::int64_t> response_time_us;
    std::optional<std::int64_t> first_content_ms;
    std::optional<std::int64_t> prompt_tokens;
    std::optional<std::int64_t> completion_tokens;
    std::optional<std::string> cost;
    bool probe = false;
    WallTime occurred_at{};
};

// A record that cannot be stored, now or later: the sender may forget it.
struct Rejected {
    std::string id;  // as it was sent; empty when there was none
    std::string reason;
};

struct LedgerBatch {
    std::vector<OutcomeRow> outcomes;
    std::vector<HistoryRow> history;
    std::vector<Rejected> rejected;

    static constexpr std::size_t kMostRecords = 500;
    static constexpr std::size_t kMostBytes = 4 * 1024 * 1024;
};

// Reads the body of POST /ledger. A bad record is rejected by itself; a body that is no batch at
// all is an error. Unknown members are ignored: a newer sender must not lose its records on an
// older data API.
Result<LedgerBatch> ReadLedger(json::Value body, std::size_t text_max, WallTime now);

}  // namespace aim::data_api
