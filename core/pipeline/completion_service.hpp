#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/cancellation.hpp"
#include "core/base/clock.hpp"
#include "core/base/random.hpp"
#include "core/base/result.hpp"
#include "core/base/task.hpp"
#include "core/base/timer_queue.hpp"
#include "core/base/uuid.hpp"
#include "core/completion/chat_request.hpp"
#include "core/completion/chat_response.hpp"
#include "core/completion/outcome.hpp"
#include "core/dialect/native_prompt.hpp"
#include "core/http/client/http_client.hpp"
#include "core/ledger/record_queue.hpp"
#include "core/pipeline/attempt.hpp"
#include "core/pipeline/settings.hpp"
#include "core/pipeline/stream_relay.hpp"
#include "core/routing/chooser.hpp"
#include "core/telemetry/log.hpp"
#include "core/telemetry/metrics.hpp"

namespace aim::pipeline {

// Where the newest routing table is published, and everybody takes it from. Thread-safe.
class RoutingTableSource {
  public:
    RoutingTableSource()
        : table_(std::make_shared<const routing::RoutingTable>(std::vector<routing::Candidate>())) {
    }

    void Publish(std::shared_ptr<const routing::RoutingTable> table);
    std::shared_ptr<const routing::RoutingTable> Get() const;
    std::uint64_t version() const { return version_.load(std::memory_order_acquire); }

  private:
    std::atomic<std::uint64_t> version_{0};
    mutable std::mutex mutex_;
    std::shared_ptr<const routing::RoutingTable> table_;
};

struct PipelineMetrics {
    explicit PipelineMetrics(telemetry::Metrics& metrics);

    telemetry::CounterFamily& attempts;            // model, outcome
    telemetry::HistogramFamily& attempt_duration;  // model
    telemetry::HistogramFamily& first_content;     // model
    telemetry::CounterFamily& prompts;             // status
    telemetry::Counter& fallbacks;
    telemetry::CounterFamily& tokens;  // model, direction
    telemetry::Histogram& overhead;
};

// What all loops share. Outlives the services.
struct PipelineShared {
    const Settings& settings;
    const Clock& clock;
    routing::ModelStates& states;
    RoutingTableSource& tables;
    ledger::RecordQueue& ledger;
    PipelineMetrics& metrics;
    telemetry::Logger& logger;
    std::atomic<std::int64_t> in_flight{0};
};

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
    std::shared_ptr<const routing::RoutingTable> table;  // keeps `candidate` alive
    const routing::Candidate* candidate = nullptr;       // who answered
    double score = 0;                                    // of the candidate after this outcome
    std::vector<dialect::NativeAnswer::Attempt> attempts;
    std::chrono::milliseconds processing_time{0};
    std::chrono::microseconds overhead{0};  // our own share of it
};

// A prompt's way (design section 5): plan, attempts, fallback, rating, ledger. When Run() returns,
// outcomes and history are in the ledger; the last byte of the answer has not gone out yet. One
// object a loop.
class CompletionService {
  public:
    CompletionService(PipelineShared& shared, http::client::HttpClient& client, TimerQueue& timers);

    Task<CompletionResult> Run(const completion::ChatRequest& request, const Caller& caller,
                               StreamRelay* relay);

    // The newest table, for handlers that list models.
    const std::shared_ptr<const routing::RoutingTable>& Table();

  private:
    struct Progress;

    std::optional<Error> Admit() const;
    routing::Choice Choose(const completion::ChatRequest& request, Progress& progress);
    Task<> Attempts(const completion::ChatRequest& request, const Caller& caller,
                    StreamRelay* relay, Progress& progress);
    void Settle(const Caller& caller, const routing::Candidate& candidate,
                resilience::CircuitBreaker::Permit permit, MonotonicTime started,
                AttemptResult& attempt, Progress& progress);
    void ConcludeWithoutCandidate(const routing::Choice& choice, Progress& progress) const;
    void ConcludeFailure(Progress& progress) const;
    void Record(const completion::ChatRequest& request, const Caller& caller, Progress& progress);

    PipelineShared& shared_;
    TimerQueue& timers_;
    std::unique_ptr<Random> random_;
    AttemptTools tools_;
    routing::Chooser chooser_;
    std::uint64_t table_version_ = 0;
};

}  // namespace aim::pipeline
