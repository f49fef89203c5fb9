#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/cancellation.hpp"
#include "core/base/clock.hpp"
#include "core/base/result.hpp"
#include "core/completion/chat_response.hpp"
#include "core/dialect/native_prompt.hpp"
#include "core/ledger/record.hpp"
#include "core/routing/candidate.hpp"

namespace aim::pipeline {

// Who asks, for the history and the log.
struct Caller {
    std::string_view request_id;
    std::string_view key_id;
    MonotonicTime received_at;
    Cancellation& cancellation;
};

struct CompletionResult {
    // Absent = answered. `code` is the error_code of contract.md.
    std::optional<Error> error;
    std::string context_json;  // of the native error; may be empty
    bool should_retry = true;  // false: we have retried already
    bool client_left = false;  // nobody is there to be answered

    completion::ChatResponse response;
    std::vector<std::vector<float>> vectors;             // of embeddings
    std::shared_ptr<const routing::RoutingTable> table;  // keeps `candidate` alive
    const routing::Candidate* candidate = nullptr;       // who answered
    double score = 0;                                    // of the candidate after this outcome
    std::vector<dialect::NativeAnswer::Attempt> attempts;
    std::chrono::milliseconds processing_time{0};
    std::chrono::microseconds overhead{0};  // our own share of it
};

// What is known of one prompt so far: what the service chooses by, the recorder writes down and the
// conclusion comes from.
struct Progress {
    CompletionResult result;
    MonotonicTime deadline{};
    std::vector<const routing::Candidate*> tried;
    std::optional<std::int64_t> window_over;
    std::optional<Error> last_error;
    bool all_rate_limited = true;
    std::optional<std::chrono::milliseconds> smallest_retry_after;
    MonotonicTime::duration waited{0};   // for models that were cooling down
    MonotonicTime::duration outside{0};  // spent in attempts and waits, not on our own work
    std::vector<ledger::Record> records;
    std::uint64_t ledger_ticket = 0;  // of the records, once they are handed over
    bool named_failed = false;
    // Without fallback: the model that was tried. No other one is.
    const routing::Candidate* only = nullptr;
};

}  // namespace aim::pipeline
