#include "core/pipeline/completion_service.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>

#include "core/pipeline/conclusion.hpp"
#include "core/resilience/attempt_policy.hpp"

namespace aim::pipeline {
namespace {

using completion::FinishReason;
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

}  // namespace

// One of the MAX_IN_FLIGHT places, held until the prompt is over, however it ends.
class CompletionService::Place {
  public:
    explicit Place(PipelineShared& shared) : shared_(shared) {
        taken_ = shared_.in_flight.fetch_add(1, std::memory_order_relaxed) <
                 static_cast<std::int64_t>(shared_.settings.max_in_flight);
    }
    ~Place() { shared_.in_flight.fetch_sub(1, std::memory_order_relaxed); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    bool taken() const { return taken_; }

  private:
    PipelineShared& shared_;
    bool taken_;
};

CompletionService::CompletionService(PipelineShared& shared, http::client::HttpClient& client,
                                     TimerQueue& timers)
    : shared_(shared),
      random_(MakeRandom()),
      tools_{client, timers, shared.clock, *random_, shared.settings, shared.drains},
      recorder_(shared, *random_),
      chooser_(shared.states) {}

const std::shared_ptr<const routing::RoutingTable>& CompletionService::Table() {
    const std::uint64_t version = shared_.tables.version();
    if (version != table_version_ || chooser_.table() == nullptr) {
        chooser_.Use(shared_.tables.Get());
        table_version_ = version;
    }
    return chooser_.table();
}

std::optional<Error> CompletionService::Admit(const Place& place) const {
    std::optional<Error> refusal;
    if (!place.taken()) {
        refusal = Overloaded();
    } else if (shared_.ledger.full()) {
        refusal = LedgerFull();
    }
    if (refusal) shared_.metrics.refusals.With({refusal->code}).Increment();
    return refusal;
}

Task<CompletionResult> CompletionService::Run(const completion::ChatRequest& request,
                                              const Caller& caller, StreamRelay* relay) {
    return RunWork(Work(request), caller, relay);
}

Task<CompletionResult> CompletionService::Run(const completion::EmbeddingsRequest& request,
                                              const Caller& caller) {
    return RunWork(Work(request), caller, nullptr);
}

Task<CompletionResult> CompletionService::RunWork(Work work, const Caller& caller,
                                                  StreamRelay* relay) {
    const Place place(shared_);
    Progress progress;
    if (auto refused = Admit(place)) {
        progress.result.error = std::move(refused);
        co_return std::move(progress.result);
    }
    progress.deadline = caller.received_at + shared_.settings.request_timeout;
    progress.result.table = Table();
    co_await Attempts(work, caller, relay, progress);
    const auto total = shared_.clock.Now() - caller.received_at;
    progress.result.processing_time = duration_cast<milliseconds>(total);
    progress.result.overhead = duration_cast<microseconds>(total - progress.outside);
    recorder_.OnPrompt(work, caller, progress);
    // Only when the ledger's policy or a slow disk asks for it.
    if (shared_.ledger.NeedsWait(progress.ledger_ticket))
        co_await shared_.ledger.Wait(progress.ledger_ticket);
    co_return std::move(progress.result);
}

routing::Choice CompletionService::Choose(const Work& work, Progress& progress, MonotonicTime now) {
    const auto& table = progress.result.table;
    routing::Wanted wanted;
    wanted.operation = work.operation;
    wanted.capabilities = work.capabilities;
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
    const routing::Candidate* named = work.model.empty() ? nullptr : table->FindByName(work.model);
    // Vectors of different models cannot be compared: who names a model gets its vectors or none.
    if (work.operation == routing::Operation::kEmbeddings) wanted.same_vectors_as = named;
    // Without fallback the model that was tried is the only one, named or not.
    const routing::Candidate* first = progress.named_failed ? nullptr : named;
    if (progress.only != nullptr) first = progress.only;
    if (first != nullptr) {
        // The caller's model comes first; health decides only whether it is tried now.
        routing::Choice choice;
        choice.incapable = !routing::IsCapable(*first, wanted);
        const bool usable =
            first->availability == routing::Availability::kAvailable && !choice.incapable;
        const auto rest = first->state->cooldown.Remaining(now);
        const bool open = !first->state->breaker.MayPass(now);
        if (usable && rest == milliseconds(0) && (!open || !work.fallback)) {
            choice.candidate = first;
            choice.forced = open;
            return choice;
        }
        if (!work.fallback) {
            if (usable) {
                choice.soonest = rest;
                choice.soonest_candidate = first;
            } else if (!choice.incapable) {
                choice.unusable = first;
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

Task<> CompletionService::Attempt(const Work& work, const Caller& caller, StreamRelay* relay,
                                  const routing::Candidate& candidate, MonotonicTime deadline,
                                  AttemptResult& result) {
    return work.chat != nullptr ? RunAttempt(tools_, candidate, *work.chat, relay, deadline,
                                             caller.cancellation, result)
                                : RunAttempt(tools_, candidate, *work.embeddings, deadline,
                                             caller.cancellation, result);
}

Task<> CompletionService::FinishAsFiltered(const routing::Candidate& candidate, StreamRelay* relay,
                                           CompletionResult& result) {
    auto& choices = result.response.choices;
    if (choices.empty()) choices.emplace_back();
    completion::DeltaBatch finishes;
    for (std::size_t i = 0; i < choices.size(); ++i) {
        if (choices[i].finish) continue;
        choices[i].finish = FinishReason::kContentFilter;
        finishes.AddFinish(static_cast<std::uint32_t>(i), FinishReason::kContentFilter);
    }
    if (relay == nullptr) co_return;
    const bool written = co_await relay->Forward(candidate, finishes);
    if (written) co_return;
    result.client_left = true;
    result.error = ClientLeft();
}

Task<> CompletionService::Attempts(const Work& work, const Caller& caller, StreamRelay* relay,
                                   Progress& progress) {
    CompletionResult& result = progress.result;
    if (!work.model.empty()) {
        const routing::Candidate* named = result.table->FindByName(work.model);
        if (named == nullptr || named->availability == routing::Availability::kInactive) {
            result.error = ModelNotFound(work.model);
            co_return;
        }
    }
    for (;;) {
        if (caller.cancellation.IsCancelled()) {
            result.error = ClientLeft();
            result.client_left = true;
            co_return;
        }
        const MonotonicTime now = shared_.clock.Now();
        if (now >= progress.deadline) {
            ConcludeDeadline(progress);
            co_return;
        }
        if (static_cast<int>(result.attempts.size()) >= shared_.settings.max_attempts) {
            ConcludeFailure(progress);
            co_return;
        }
        const routing::Choice choice = Choose(work, progress, now);
        if (choice.candidate == nullptr) {
            const bool wait = choice.soonest &&
                              progress.waited + *choice.soonest <= shared_.settings.longest_wait &&
                              now + *choice.soonest < progress.deadline;
            if (!wait) {
                ConcludeWithoutCandidate(choice, progress);
                co_return;
            }
            const milliseconds delay = *choice.soonest + milliseconds(1);
            co_await SleepUnlessCancelled(delay, caller.cancellation);
            const MonotonicTime::duration waited = shared_.clock.Now() - now;
            progress.waited += waited;
            progress.outside += waited;
            continue;
        }
        const routing::Candidate& candidate = *choice.candidate;
        CircuitBreaker::Permit permit = CircuitBreaker::Permit::kForced;
        if (!choice.forced) {
            permit = candidate.state->breaker.Acquire(now);
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
        AttemptResult attempt;
        co_await Attempt(work, caller, relay, candidate, progress.deadline, attempt);
        progress.outside += shared_.clock.Now() - started;
        const Recorder::AttemptFacts done{candidate, permit, started};
        recorder_.OnAttempt(caller, done, attempt, progress);
        if (!work.fallback) progress.only = &candidate;
        if (attempt.client_left) {
            // Whatever became of it, nobody is there to read it or to wait for another model.
            result.client_left = true;
            result.error = ClientLeft();
            co_return;
        }
        if (!attempt.error) co_return;

        const Error& error = *attempt.error;
        const resilience::FailureRule& rule = resilience::RuleFor(error.kind);
        if (error.kind == ErrorKind::kCancelled) {
            result.client_left = true;
            result.error = error;
            co_return;
        }
        if (error.kind == ErrorKind::kContentFiltered && work.chat != nullptr) {
            // Refused by a safety rule: that is the answer, after what was said before.
            co_await FinishAsFiltered(candidate, relay, result);
            co_return;
        }
        if (attempt.content_started) {
            // The caller has read a part: there is no other model for the rest.
            result.error = error;
            result.candidate = &candidate;
            co_return;
        }
        if (rule.fallback == resilience::Fallback::kLargerWindow)
            progress.window_over = candidate.row->context_window.value_or(INT64_MAX);
        const bool same_again =
            error.kind ==
            ErrorKind::kRateLimited;  // its cooldown keeps it away, and lets it come back
        if (!same_again) progress.tried.push_back(&candidate);
        if (!work.model.empty() && !same_again) progress.named_failed = true;
        const bool stop = rule.fallback == resilience::Fallback::kNo ||
                          (!work.fallback && !same_again) || error.code == "deadline_exceeded";
        if (stop) {
            ConcludeFailure(progress);
            co_return;
        }
    }
}

}  // namespace aim::pipeline
