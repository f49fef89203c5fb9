#include "core/pipeline/completion_service.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>

#include "core/pipeline/plugin_target.hpp"
#include "core/resilience/attempt_policy.hpp"

namespace aim::pipeline {
namespace {

using completion::FinishReason;
using completion::HistoryStatus;
using resilience::CircuitBreaker;
using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;

Task<> SleepUnlessCancelled(milliseconds delay, Cancellation& cancellation) {
    using Timer = boost::asio::basic_waitable_timer<
        std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;
    const Executor executor = co_await boost::asio::this_coro::executor;
    Timer timer(executor, delay);
    const Cancellation::Listener listener(cancellation, [&timer] { timer.cancel(); });
    boost::system::error_code error;
    co_await timer.async_wait(boost::asio::redirect_error(kUseTask, error));
}

Error MakeError(ErrorKind kind, std::string_view code, std::string message) {
    Error error;
    error.kind = kind;
    error.code = code;
    error.message = std::move(message);
    return error;
}

std::string_view OutcomeName(const std::optional<Error>& error) {
    return error ? ErrorKindName(error->kind) : std::string_view("success");
}

CircuitBreaker::Outcome BreakerOutcome(const std::optional<Error>& error) {
    if (!error) return CircuitBreaker::Outcome::kSuccess;
    return resilience::RuleFor(error->kind).breaker_counts ? CircuitBreaker::Outcome::kFailure
                                                           : CircuitBreaker::Outcome::kNeutral;
}

std::vector<double> ShareBounds() {
    return {0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 1};
}

}  // namespace

// What is known of one prompt so far.
struct CompletionService::Progress {
    CompletionResult result;
    MonotonicTime deadline{};
    std::vector<const routing::Candidate*> tried;
    std::optional<std::int64_t> window_over;
    std::optional<Error> last_error;
    bool all_rate_limited = true;
    std::optional<milliseconds> smallest_retry_after;
    MonotonicTime::duration outside{0};  // spent in attempts and waits, not on our own work
    std::vector<ledger::Record> records;
    bool named_failed = false;
};

void RoutingTableSource::Publish(std::shared_ptr<const routing::RoutingTable> table) {
    {
        const std::lock_guard lock(mutex_);
        table_ = std::move(table);
    }
    version_.fetch_add(1, std::memory_order_release);
}

std::shared_ptr<const routing::RoutingTable> RoutingTableSource::Get() const {
    const std::lock_guard lock(mutex_);
    return table_;
}

PipelineMetrics::PipelineMetrics(telemetry::Metrics& metrics)
    : attempts(metrics.AddCounterFamily("aimanager_attempts_total",
                                        "Attempts at a model by what became of them.",
                                        {{"model"}, {"outcome"}})),
      attempt_duration(
          metrics.AddHistogramFamily("aimanager_attempt_duration_seconds",
                                     "Time of an attempt, less what the client made it wait.",
                                     telemetry::LatencyBounds(), {{"model"}})),
      first_content(metrics.AddHistogramFamily("aimanager_time_to_first_content_seconds",
                                               "Time from an attempt's start to its first content.",
                                               telemetry::LatencyBounds(), {{"model"}})),
      prompts(metrics.AddCounterFamily("aimanager_prompts_total", "Prompts by how they ended.",
                                       {{"status", {"success", "error", "timeout", "cancelled"}}})),
      fallbacks(
          metrics.AddCounter("aimanager_fallbacks_total", "Attempts after the first of a prompt.")),
      tokens(metrics.AddCounterFamily("aimanager_tokens_total",
                                      "Tokens as the providers counted them.",
                                      {{"model"}, {"direction", {"input", "output"}}})),
      overhead(metrics.AddHistogram("aimanager_overhead_seconds",
                                    "The gateway's own share of a prompt's time.", ShareBounds())) {
}

CompletionService::CompletionService(PipelineShared& shared, http::client::HttpClient& client,
                                     TimerQueue& timers)
    : shared_(shared),
      timers_(timers),
      random_(MakeRandom()),
      tools_{client, timers, shared.clock, *random_, shared.settings},
      chooser_(shared.states) {}

const std::shared_ptr<const routing::RoutingTable>& CompletionService::Table() {
    const std::uint64_t version = shared_.tables.version();
    if (version != table_version_ || chooser_.table() == nullptr) {
        chooser_.Use(shared_.tables.Get());
        table_version_ = version;
    }
    return chooser_.table();
}

std::optional<Error> CompletionService::Admit() const {
    if (shared_.in_flight.load(std::memory_order_relaxed) >=
        static_cast<std::int64_t>(shared_.settings.max_in_flight)) {
        return MakeError(ErrorKind::kOverloaded, "overloaded",
                         "The gateway works on as many prompts as it may; try again shortly.");
    }
    if (shared_.ledger.full()) {
        return MakeError(ErrorKind::kOverloaded, "ledger_full",
                         "The ledger is full because the data API has been away for too long; no "
                         "new prompts are taken.");
    }
    return std::nullopt;
}

Task<CompletionResult> CompletionService::Run(const completion::ChatRequest& request,
                                              const Caller& caller, StreamRelay* relay) {
    Progress progress;
    if (auto refused = Admit()) {
        progress.result.error = std::move(refused);
        co_return std::move(progress.result);
    }
    shared_.in_flight.fetch_add(1, std::memory_order_relaxed);
    progress.deadline = caller.received_at + shared_.settings.request_timeout;
    progress.result.table = Table();
    co_await Attempts(request, caller, relay, progress);
    const auto total = shared_.clock.Now() - caller.received_at;
    progress.result.processing_time = duration_cast<milliseconds>(total);
    progress.result.overhead = duration_cast<microseconds>(total - progress.outside);
    Record(request, caller, progress);
    shared_.in_flight.fetch_sub(1, std::memory_order_relaxed);
    co_return std::move(progress.result);
}

routing::Choice CompletionService::Choose(const completion::ChatRequest& request,
                                          Progress& progress) {
    const MonotonicTime now = shared_.clock.Now();
    const auto& table = progress.result.table;
    routing::Wanted wanted;
    wanted.capabilities = routing::NeededCapabilities(request);
    wanted.window_over = progress.window_over;
    wanted.tried = progress.tried;
    switch (shared_.settings.mock_in_auto) {
        case MockInAuto::kAuto:
            wanted.include_mock = !table->any_real();
            break;
        case MockInAuto::kAlways:
            wanted.include_mock = true;
            break;
        case MockInAuto::kNever:
            wanted.include_mock = false;
            break;
    }
    if (!request.model.empty() && !progress.named_failed) {
        // The caller's model comes first; health decides only whether it is tried now.
        const routing::Candidate* named = table->FindByName(request.model);
        routing::Choice choice;
        choice.incapable = (named->capabilities & wanted.capabilities) != wanted.capabilities;
        const bool usable =
            named->availability == routing::Availability::kAvailable && !choice.incapable;
        const auto rest = named->state->cooldown.Remaining(now);
        const bool open = !named->state->breaker.MayPass(now);
        if (usable && rest == milliseconds(0) && (!open || !request.fallback)) {
            choice.candidate = named;
            choice.forced = open;
            return choice;
        }
        if (!request.fallback) {
            if (usable) {
                choice.soonest = rest;
                choice.soonest_candidate = named;
            }
            return choice;
        }
        progress.named_failed = true;
    }
    // Another table may have come while we waited or tried, but this prompt stays with the one it
    // began with.
    if (chooser_.table() != table) {
        chooser_.Use(table);
        table_version_ = 0;  // the next prompt takes the newest again
    }
    return chooser_.Best(wanted, now);
}

Task<> CompletionService::Attempts(const completion::ChatRequest& request, const Caller& caller,
                                   StreamRelay* relay, Progress& progress) {
    CompletionResult& result = progress.result;
    if (!request.model.empty()) {
        const routing::Candidate* named = result.table->FindByName(request.model);
        if (named == nullptr || named->availability == routing::Availability::kInactive) {
            Error error =
                MakeError(ErrorKind::kModelNotFound, "model_not_found",
                          "There is no active model named '" + request.model.substr(0, 100) + "'.");
            error.field = "model";
            result.error = std::move(error);
            co_return;
        }
    }
    for (;;) {
        if (caller.cancellation.IsCancelled()) {
            result.error = MakeError(ErrorKind::kCancelled, "cancelled", "The client left.");
            result.client_left = true;
            co_return;
        }
        if (shared_.clock.Now() >= progress.deadline) {
            result.error = MakeError(ErrorKind::kUpstreamTimeout, "deadline_exceeded",
                                     "No model answered in the time of the request.");
            co_return;
        }
        if (static_cast<int>(result.attempts.size()) >= shared_.settings.max_attempts) {
            ConcludeFailure(progress);
            co_return;
        }
        const routing::Choice choice = Choose(request, progress);
        if (choice.candidate == nullptr) {
            const bool wait = choice.soonest && *choice.soonest <= shared_.settings.longest_wait &&
                              shared_.clock.Now() + *choice.soonest < progress.deadline;
            if (!wait) {
                ConcludeWithoutCandidate(choice, progress);
                co_return;
            }
            const MonotonicTime before = shared_.clock.Now();
            const milliseconds delay = *choice.soonest + milliseconds(1);
            co_await SleepUnlessCancelled(delay, caller.cancellation);
            progress.outside += shared_.clock.Now() - before;
            continue;
        }
        const routing::Candidate& candidate = *choice.candidate;
        CircuitBreaker::Permit permit = CircuitBreaker::Permit::kForced;
        if (!choice.forced) {
            permit = candidate.state->breaker.Acquire(shared_.clock.Now());
            if (permit == CircuitBreaker::Permit::kRefused)
                continue;  // somebody else took the probe; choose again
        }
        if (!result.attempts.empty()) shared_.metrics.fallbacks.Increment();
        const MonotonicTime started = shared_.clock.Now();
        if (relay != nullptr) {
            StreamRelay::AttemptFacts facts;
            facts.attempts = static_cast<int>(result.attempts.size()) + 1;
            facts.score = candidate.state->rating->score().ToDouble();
            facts.overhead =
                duration_cast<microseconds>(started - caller.received_at - progress.outside);
            relay->OnAttempt(facts);
        }
        AttemptResult attempt = co_await RunAttempt(tools_, candidate, request, relay,
                                                    progress.deadline, caller.cancellation);
        progress.outside += shared_.clock.Now() - started;
        Settle(caller, candidate, permit, started, attempt, progress);
        if (!attempt.error) co_return;

        const Error& error = *attempt.error;
        const resilience::FailureRule& rule = resilience::RuleFor(error.kind);
        if (error.kind == ErrorKind::kCancelled) {
            result.client_left = true;
            result.error = error;
            co_return;
        }
        if (attempt.content_started) {
            // The caller has read a part: there is no other model for the rest.
            result.error = error;
            result.candidate = &candidate;
            co_return;
        }
        if (error.kind == ErrorKind::kContentFiltered) {
            // Refused by a safety rule: that is the answer.
            result.response = completion::ChatResponse();
            result.response.choices.emplace_back().finish = FinishReason::kContentFilter;
            result.candidate = &candidate;
            co_return;
        }
        if (rule.fallback == resilience::Fallback::kLargerWindow)
            progress.window_over = candidate.row->context_window.value_or(INT64_MAX);
        const bool same_again =
            error.kind ==
            ErrorKind::kRateLimited;  // its cooldown keeps it away, and lets it come back
        if (!same_again) progress.tried.push_back(&candidate);
        if (!request.model.empty() && !same_again) progress.named_failed = true;
        const bool stop = rule.fallback == resilience::Fallback::kNo ||
                          (!request.fallback && !same_again) || error.code == "deadline_exceeded";
        if (stop) {
            ConcludeFailure(progress);
            co_return;
        }
    }
}

void CompletionService::Settle(const Caller& caller, const routing::Candidate& candidate,
                               CircuitBreaker::Permit permit, MonotonicTime started,
                               AttemptResult& attempt, Progress& progress) {
    const MonotonicTime now = shared_.clock.Now();
    const auto& target = static_cast<const PluginTarget&>(*candidate.target);
    if (attempt.plugin_fault) target.generation->CountMisbehaviour();
    const resilience::FailureRule* rule =
        attempt.error ? &resilience::RuleFor(attempt.error->kind) : nullptr;
    const bool counts = rule == nullptr || rule->counts_for_rating;

    candidate.state->breaker.Record(permit, BreakerOutcome(attempt.error), now);
    if (rule == nullptr) {
        candidate.state->cooldown.NoteSuccess(started, now);
    } else if (rule->action == resilience::ModelAction::kPark) {
        candidate.state->cooldown.Park(now, attempt.error->retry_after);
    } else if (rule->action == resilience::ModelAction::kCoolDown) {
        candidate.state->cooldown.CoolDown(now, attempt.error->retry_after, *random_);
    }

    completion::Outcome outcome;
    outcome.id = Uuid::MakeV7(shared_.clock.WallNow(), *random_);
    outcome.request_id = caller.request_id;
    outcome.model_id = candidate.row->id;
    outcome.provider = candidate.row->provider;
    if (attempt.error) outcome.error = attempt.error->kind;
    outcome.counts = counts;
    outcome.response_time = attempt.duration;
    outcome.first_content = attempt.first_content;
    outcome.prompt_tokens = attempt.response.usage.prompt_tokens;
    outcome.completion_tokens = attempt.response.usage.completion_tokens;
    outcome.cost = ledger::CostInUsd(outcome.prompt_tokens, outcome.completion_tokens,
                                     candidate.row->input_price_per_million,
                                     candidate.row->output_price_per_million);
    outcome.occurred_at = shared_.clock.WallNow();
    progress.records.push_back(ledger::MakeRecord(outcome));
    const rating::Reliability after =
        counts ? shared_.states.AddOutcome(candidate.row->id, !attempt.error, attempt.duration)
               : shared_.states.Rating(candidate.row->id);

    const std::string_view name = candidate.row->name;
    shared_.metrics.attempts.With({name, OutcomeName(attempt.error)}).Increment();
    shared_.metrics.attempt_duration.With({name}).Observe(
        static_cast<double>(attempt.duration.count()) / 1e6);
    if (attempt.first_content) {
        shared_.metrics.first_content.With({name}).Observe(
            static_cast<double>(attempt.first_content->count()) / 1e3);
    }
    if (outcome.prompt_tokens) {
        shared_.metrics.tokens.With({name, "input"})
            .Increment(
                static_cast<std::uint64_t>(std::max<std::int64_t>(*outcome.prompt_tokens, 0)));
    }
    if (outcome.completion_tokens) {
        shared_.metrics.tokens.With({name, "output"})
            .Increment(
                static_cast<std::uint64_t>(std::max<std::int64_t>(*outcome.completion_tokens, 0)));
    }

    dialect::NativeAnswer::Attempt entry;
    entry.model = name;
    entry.provider = candidate.row->provider;
    entry.outcome = OutcomeName(attempt.error);
    entry.duration = duration_cast<milliseconds>(attempt.duration);
    progress.result.attempts.push_back(std::move(entry));
    progress.result.score = after.reliability_score.ToDouble();
    progress.result.candidate = &candidate;
    progress.result.response = std::move(attempt.response);
    if (!attempt.error) return;

    progress.last_error = attempt.error;
    if (attempt.error->kind == ErrorKind::kRateLimited) {
        const milliseconds rest = candidate.state->cooldown.Remaining(now);
        if (!progress.smallest_retry_after || rest < *progress.smallest_retry_after)
            progress.smallest_retry_after = rest;
    } else {
        progress.all_rate_limited = false;
    }
    shared_.logger.Log(telemetry::Level::kWarning, "attempt_failed", "An attempt at a model failed",
                       {{"request_id", caller.request_id},
                        {"model", name},
                        {"provider", candidate.row->provider},
                        {"outcome", OutcomeName(attempt.error)},
                        {"upstream_status", attempt.error->upstream_status},
                        {"code", attempt.error->code},
                        {"reason", attempt.error->message},
                        {"duration_ms", duration_cast<milliseconds>(attempt.duration).count()}});
}

void CompletionService::ConcludeWithoutCandidate(const routing::Choice& choice,
                                                 Progress& progress) const {
    CompletionResult& result = progress.result;
    if (!result.attempts.empty()) {
        if (choice.soonest &&
            (!progress.smallest_retry_after || *choice.soonest < *progress.smallest_retry_after)) {
            progress.smallest_retry_after = choice.soonest;
        }
        return ConcludeFailure(progress);
    }
    result.candidate = nullptr;
    if (choice.soonest) {
        Error error = MakeError(ErrorKind::kRateLimited, "rate_limited",
                                "Every usable model is resting; try again later.");
        error.retry_after = choice.soonest;
        result.error = std::move(error);
    } else if (choice.incapable) {
        result.error = MakeError(ErrorKind::kUnsupported, "unsupported",
                                 "No usable model can do what the request asks for.");
    } else {
        result.error = MakeError(ErrorKind::kOverloaded, "no_model_available",
                                 "No model is active and configured at the moment.");
    }
}

void CompletionService::ConcludeFailure(Progress& progress) const {
    CompletionResult& result = progress.result;
    const Error last = progress.last_error.value_or(
        MakeError(ErrorKind::kInternal, "internal", "No attempt was made."));
    const resilience::FailureRule& rule = resilience::RuleFor(last.kind);
    result.context_json = "{\"attempts\":";
    dialect::AppendAttempts(result.attempts, result.context_json);
    result.context_json.push_back('}');
    if (last.code == "deadline_exceeded") {
        result.error = MakeError(ErrorKind::kUpstreamTimeout, "deadline_exceeded",
                                 "No model answered in the time of the request.");
        return;
    }
    if (progress.all_rate_limited) {
        Error error =
            MakeError(ErrorKind::kRateLimited, "rate_limited",
                      "Every usable model is rate limited by its provider; try again later.");
        error.retry_after = progress.smallest_retry_after;
        result.error = std::move(error);
        return;
    }
    if (rule.http_status == 400) {
        // The caller's own: the provider's words are what helps.
        Error error = MakeError(last.kind, rule.error_code, last.message);
        error.field = last.field;
        result.error = std::move(error);
        result.context_json.clear();
        return;
    }
    result.should_retry = false;
    result.error = MakeError(last.kind, "all_models_failed",
                             "All models that were tried failed; the last one: " +
                                 std::string(ErrorKindName(last.kind)) + ".");
}

void CompletionService::Record(const completion::ChatRequest& request, const Caller& caller,
                               Progress& progress) {
    const CompletionResult& result = progress.result;
    completion::HistoryRecord history;
    history.id = Uuid::MakeV7(shared_.clock.WallNow(), *random_);
    history.request_id = caller.request_id;
    history.user_id = request.user_id;
    history.user_telegram_id = request.user_telegram_id;
    history.username = request.username;
    history.key_id = caller.key_id;
    history.prompt_text = request.PromptText();
    history.response_text = result.response.text();
    if (result.candidate != nullptr) {
        history.model_id = result.candidate->row->id;
        history.model_name = result.candidate->row->name;
    }
    history.duration = result.processing_time;
    std::string_view status = "success";
    if (result.client_left) {
        history.status = HistoryStatus::kCancelled;
        status = "cancelled";
    } else if (result.error && result.error->kind == ErrorKind::kUpstreamTimeout) {
        history.status = HistoryStatus::kTimeout;
        status = "timeout";
    } else if (result.error) {
        history.status = HistoryStatus::kError;
        status = "error";
    }
    if (result.error) {
        const Error& shown =
            progress.last_error && !result.client_left ? *progress.last_error : *result.error;
        history.error_message = std::string(ErrorKindName(shown.kind)) + ": " + shown.message;
    }
    history.prompt_tokens = result.response.usage.prompt_tokens;
    history.completion_tokens = result.response.usage.completion_tokens;
    history.attempts = static_cast<int>(result.attempts.size());
    history.created_at = shared_.clock.WallNow();
    progress.records.push_back(ledger::MakeRecord(history, shared_.settings.history_text_max));
    shared_.ledger.Append(std::move(progress.records));

    shared_.metrics.prompts.With({status}).Increment();
    shared_.metrics.overhead.Observe(static_cast<double>(result.overhead.count()) / 1e6);
    const auto level =
        result.error && !result.client_left ? telemetry::Level::kWarning : telemetry::Level::kInfo;
    shared_.logger.Log(
        level, result.error ? "prompt_failed" : "prompt_processed",
        result.error ? "Prompt was not answered" : "Prompt processed successfully",
        {{"request_id", caller.request_id},
         {"user_id", request.user_id},
         {"model_used", history.model_name},
         {"processing_time_ms", result.processing_time.count()},
         {"status", status},
         {"attempts", history.attempts},
         {"error_code", result.error ? std::string_view(result.error->code) : std::string_view()}});
}

}  // namespace aim::pipeline
