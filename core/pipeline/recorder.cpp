#include "core/pipeline/recorder.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "core/base/uuid.hpp"
#include "core/resilience/attempt_policy.hpp"

namespace aim::pipeline {
namespace {

using completion::HistoryStatus;
using resilience::CircuitBreaker;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr std::size_t kMostSeries = 4096;

std::string_view OutcomeName(const std::optional<Error>& error) {
    return error ? ErrorKindName(error->kind) : std::string_view("success");
}

bool CountsForRating(const std::optional<Error>& error) {
    return !error || resilience::RuleFor(error->kind).counts_for_rating;
}

CircuitBreaker::Outcome BreakerOutcome(const std::optional<Error>& error) {
    if (!error) return CircuitBreaker::Outcome::kSuccess;
    return resilience::RuleFor(error->kind).breaker_counts ? CircuitBreaker::Outcome::kFailure
                                                           : CircuitBreaker::Outcome::kNeutral;
}

std::uint64_t Unsigned(std::int64_t tokens) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(tokens, 0));
}

HistoryStatus StatusOf(const CompletionResult& result) {
    if (result.client_left) return HistoryStatus::kCancelled;
    if (!result.error) return HistoryStatus::kSuccess;
    return result.error->kind == ErrorKind::kUpstreamTimeout ? HistoryStatus::kTimeout
                                                             : HistoryStatus::kError;
}

std::string_view StatusName(HistoryStatus status) {
    switch (status) {
        case HistoryStatus::kSuccess:
            return "success";
        case HistoryStatus::kTimeout:
            return "timeout";
        case HistoryStatus::kCancelled:
            return "cancelled";
        case HistoryStatus::kError:
            break;
    }
    return "error";
}

// Vectors are too large for the history, and of no use to who reads it.
std::string DescribeVectors(const CompletionResult& result) {
    if (result.error || result.vectors.empty()) return {};
    return "[" + std::to_string(result.vectors.size()) + " embeddings of " +
           std::to_string(result.vectors.front().size()) + " dimensions]";
}

}  // namespace

rating::Reliability Recorder::Rate(const AttemptFacts& facts, const AttemptResult& attempt,
                                   MonotonicTime now) {
    routing::ModelState& state = *facts.candidate.state;
    state.breaker.Record(facts.permit, BreakerOutcome(attempt.error), now);
    if (!attempt.error) {
        state.cooldown.NoteSuccess(facts.started, now);
    } else {
        const resilience::ModelAction action = resilience::RuleFor(attempt.error->kind).action;
        if (action == resilience::ModelAction::kPark)
            state.cooldown.Park(now, attempt.error->retry_after);
        if (action == resilience::ModelAction::kCoolDown)
            state.cooldown.CoolDown(now, attempt.error->retry_after, random_);
    }
    const Uuid& model = facts.candidate.row->id;
    return CountsForRating(attempt.error)
               ? shared_.states.AddOutcome(model, !attempt.error, attempt.duration)
               : shared_.states.Rating(model);
}

completion::Outcome Recorder::OutcomeOf(std::string_view request_id,
                                        const routing::Candidate& candidate,
                                        const AttemptResult& attempt) {
    const WallTime now = shared_.clock.WallNow();
    completion::Outcome outcome;
    outcome.id = Uuid::MakeV7(now, random_);
    outcome.request_id = request_id;
    outcome.model_id = candidate.row->id;
    outcome.provider = candidate.row->provider;
    if (attempt.error) outcome.error = attempt.error->kind;
    outcome.counts = CountsForRating(attempt.error);
    outcome.response_time = attempt.duration;
    outcome.first_content = attempt.first_content;
    outcome.prompt_tokens = attempt.response.usage.prompt_tokens;
    outcome.completion_tokens = attempt.response.usage.completion_tokens;
    outcome.cost = ledger::CostInUsd(outcome.prompt_tokens, outcome.completion_tokens,
                                     candidate.row->input_price_per_million,
                                     candidate.row->output_price_per_million);
    outcome.occurred_at = now;
    return outcome;
}

Recorder::ModelSeries& Recorder::SeriesOf(const completion::ModelRecord& row) {
    const auto known = series_.find(row.id);
    if (known != series_.end() && known->second.model == row.name) return known->second;
    // Of models that are gone, nothing is to be kept for ever.
    if (series_.size() >= kMostSeries) series_.clear();
    ModelSeries& series = series_[row.id];
    series = ModelSeries();
    series.model = row.name;
    return series;
}

void Recorder::Count(const completion::ModelRecord& row, const AttemptResult& attempt) {
    if (!shared_.settings.features.metrics) return;
    PipelineMetrics& metrics = shared_.metrics;
    const std::string_view model = row.name;
    ModelSeries& series = SeriesOf(row);
    const std::size_t outcome = attempt.error ? static_cast<std::size_t>(attempt.error->kind) : 0;
    telemetry::Counter*& attempts = series.attempts[outcome];
    if (attempts == nullptr) attempts = &metrics.attempts.With({model, OutcomeName(attempt.error)});
    attempts->Increment();
    if (series.duration == nullptr) series.duration = &metrics.attempt_duration.With({model});
    series.duration->Observe(static_cast<double>(attempt.duration.count()) / 1e6);
    if (attempt.first_content) {
        if (series.first_content == nullptr)
            series.first_content = &metrics.first_content.With({model});
        series.first_content->Observe(static_cast<double>(attempt.first_content->count()) / 1e3);
    }
    const auto add_tokens = [&](telemetry::Counter*& counter, std::string_view direction,
                                const std::optional<std::int64_t>& tokens) {
        if (!tokens) return;
        if (counter == nullptr) counter = &metrics.tokens.With({model, direction});
        counter->Increment(Unsigned(*tokens));
    };
    const completion::Usage& usage = attempt.response.usage;
    add_tokens(series.input_tokens, "input", usage.prompt_tokens);
    add_tokens(series.output_tokens, "output", usage.completion_tokens);
}

void Recorder::LogFailure(const Caller& caller, const routing::Candidate& candidate,
                          const AttemptResult& attempt) {
    shared_.logger.Log(telemetry::Level::kWarning, "attempt_failed", "An attempt at a model failed",
                       {{"request_id", caller.request_id},
                        {"model", candidate.row->name},
                        {"provider", candidate.row->provider},
                        {"outcome", OutcomeName(attempt.error)},
                        {"upstream_status", attempt.error->upstream_status},
                        {"code", attempt.error->code},
                        {"reason", attempt.error->message},
                        {"duration_ms", duration_cast<milliseconds>(attempt.duration).count()}});
}

void Recorder::OnAttempt(const Caller& caller, const AttemptFacts& facts, AttemptResult& attempt,
                         Progress& progress) {
    const routing::Candidate& candidate = facts.candidate;
    const MonotonicTime now = shared_.clock.Now();
    const rating::Reliability after = Rate(facts, attempt, now);
    if (shared_.settings.features.ledger) {
        if (progress.records.empty()) progress.records.reserve(2);  // and the prompt's own
        progress.records.push_back(
            ledger::MakeRecord(OutcomeOf(caller.request_id, candidate, attempt)));
    }
    Count(*candidate.row, attempt);

    dialect::NativeAnswer::Attempt entry;
    entry.model = candidate.row->name;
    entry.provider = candidate.row->provider;
    entry.outcome = OutcomeName(attempt.error);
    entry.duration = duration_cast<milliseconds>(attempt.duration);
    progress.result.attempts.push_back(std::move(entry));
    progress.result.score = after.reliability_score.ToDouble();
    progress.result.candidate = &candidate;
    progress.result.response = std::move(attempt.response);
    progress.result.vectors = std::move(attempt.vectors);
    if (!attempt.error) return;

    progress.last_error = attempt.error;
    if (attempt.error->kind == ErrorKind::kRateLimited) {
        const milliseconds rest = candidate.state->cooldown.Remaining(now);
        if (!progress.smallest_retry_after || rest < *progress.smallest_retry_after)
            progress.smallest_retry_after = rest;
    } else {
        progress.all_rate_limited = false;
    }
    LogFailure(caller, candidate, attempt);
}

ledger::Journal::Ticket Recorder::OnProbe(std::string_view request_id, const AttemptFacts& facts,
                                          const AttemptResult& attempt) {
    Rate(facts, attempt, shared_.clock.Now());
    completion::Outcome outcome = OutcomeOf(request_id, facts.candidate, attempt);
    outcome.probe = true;
    Count(*facts.candidate.row, attempt);
    std::vector<ledger::Record> records;
    records.push_back(ledger::MakeRecord(outcome));
    return shared_.ledger.Append(std::move(records));
}

void Recorder::WriteHistory(const Work& work, const Caller& caller,
                            completion::HistoryStatus status, Progress& progress) {
    const CompletionResult& result = progress.result;
    const WallTime now = shared_.clock.WallNow();
    completion::HistoryRecord history;
    history.id = Uuid::MakeV7(now, random_);
    history.request_id = caller.request_id;
    history.user_id = work.user_id;
    history.user_telegram_id = work.user_telegram_id;
    history.username = work.username;
    history.key_id = caller.key_id;
    history.prompt_text = work.PromptText();
    history.response_text = work.chat != nullptr ? result.response.text() : DescribeVectors(result);
    if (result.candidate != nullptr) {
        history.model_id = result.candidate->row->id;
        history.model_name = result.candidate->row->name;
    }
    history.duration = result.processing_time;
    history.status = status;
    if (result.error) {
        const Error& shown =
            progress.last_error && !result.client_left ? *progress.last_error : *result.error;
        history.error_message = std::string(ErrorKindName(shown.kind)) + ": " + shown.message;
    }
    history.prompt_tokens = result.response.usage.prompt_tokens;
    history.completion_tokens = result.response.usage.completion_tokens;
    history.attempts = static_cast<int>(result.attempts.size());
    history.created_at = now;
    progress.records.push_back(ledger::MakeRecord(history, shared_.settings.history_text_max));
    progress.ledger_ticket = shared_.ledger.Append(std::move(progress.records));
}

void Recorder::Count(completion::HistoryStatus status, const CompletionResult& result) {
    telemetry::Counter*& prompts = prompts_[static_cast<std::size_t>(status)];
    if (prompts == nullptr) prompts = &shared_.metrics.prompts.With({StatusName(status)});
    prompts->Increment();
    shared_.metrics.overhead.Observe(static_cast<double>(result.overhead.count()) / 1e6);
}

void Recorder::OnPrompt(const Work& work, const Caller& caller, Progress& progress) {
    const CompletionResult& result = progress.result;
    const completion::HistoryStatus status = StatusOf(result);
    if (shared_.settings.features.ledger) WriteHistory(work, caller, status, progress);
    if (shared_.settings.features.metrics) Count(status, result);
    const auto level =
        result.error && !result.client_left ? telemetry::Level::kWarning : telemetry::Level::kInfo;
    const std::string_view model =
        result.candidate != nullptr ? std::string_view(result.candidate->row->name) : "";
    shared_.logger.Log(
        level, result.error ? "prompt_failed" : "prompt_processed",
        result.error ? "Prompt was not answered" : "Prompt processed successfully",
        {{"request_id", caller.request_id},
         {"user_id", work.user_id},
         {"model_used", model},
         {"processing_time_ms", result.processing_time.count()},
         {"status", StatusName(status)},
         {"attempts", result.attempts.size()},
         {"error_code", result.error ? std::string_view(result.error->code) : std::string_view()}});
}

}  // namespace aim::pipeline
