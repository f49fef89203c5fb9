#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/base/clock.hpp"
#include "core/base/error_kind.hpp"
#include "core/base/random.hpp"
#include "core/completion/outcome.hpp"
#include "core/pipeline/attempt.hpp"
#include "core/pipeline/pipeline_shared.hpp"
#include "core/pipeline/progress.hpp"
#include "core/pipeline/work.hpp"
#include "core/resilience/circuit_breaker.hpp"
#include "core/routing/candidate.hpp"

namespace aim::pipeline {

// Writes down what became of attempts and prompts, for everybody who goes by it: breaker, cooldown
// and live rating of the model, ledger, metrics, log. One object a loop.
class Recorder {
  public:
    // Both outlive the recorder.
    Recorder(PipelineShared& shared, Random& random) : shared_(shared), random_(random) {}

    struct AttemptFacts {
        const routing::Candidate& candidate;
        resilience::CircuitBreaker::Permit permit;
        MonotonicTime started;
    };
    // Takes the attempt's response over into the progress; its error stays where it is.
    void OnAttempt(const Caller& caller, const AttemptFacts& facts, AttemptResult& attempt,
                   Progress& progress);

    // The same for a probe, which belongs to no prompt: it is told apart in the ledger and has no
    // history. Returns the ledger's ticket.
    ledger::Journal::Ticket OnProbe(std::string_view request_id, const AttemptFacts& facts,
                                    const AttemptResult& attempt);

    // The prompt is over: the progress holds its result. Hands all records to the ledger.
    void OnPrompt(const Work& work, const Caller& caller, Progress& progress);

  private:
    rating::Reliability Rate(const AttemptFacts& facts, const AttemptResult& attempt,
                             MonotonicTime now);
    completion::Outcome OutcomeOf(std::string_view request_id, const routing::Candidate& candidate,
                                  const AttemptResult& attempt);
    void Count(const completion::ModelRecord& row, const AttemptResult& attempt);
    void Count(completion::HistoryStatus status, const CompletionResult& result);
    // To the ledger, with the records of its attempts.
    void WriteHistory(const Work& work, const Caller& caller, completion::HistoryStatus status,
                      Progress& progress);
    void LogFailure(const Caller& caller, const routing::Candidate& candidate,
                    const AttemptResult& attempt);

    // Of one model on the metrics page: each is looked up (and appears) when it first counts.
    struct ModelSeries {
        std::string model;
        // Success, then the kinds of error.
        std::array<telemetry::Counter*, static_cast<std::size_t>(ErrorKind::kInternal) + 1>
            attempts{};
        telemetry::Histogram* duration = nullptr;
        telemetry::Histogram* first_content = nullptr;
        telemetry::Counter* input_tokens = nullptr;
        telemetry::Counter* output_tokens = nullptr;
    };
    ModelSeries& SeriesOf(const completion::ModelRecord& row);

    PipelineShared& shared_;
    Random& random_;
    std::unordered_map<Uuid, ModelSeries> series_;
    std::array<telemetry::Counter*, 4> prompts_{};  // by status
};

}  // namespace aim::pipeline
