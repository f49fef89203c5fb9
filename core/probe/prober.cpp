#include "core/probe/prober.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>

#include "core/base/error_kind.hpp"
#include "core/completion/chat_request.hpp"
#include "core/completion/embeddings.hpp"
#include "core/json/writer.hpp"
#include "core/probe/probe_policy.hpp"

namespace aim::probe {
namespace {

using resilience::CircuitBreaker;
using std::chrono::duration_cast;
using std::chrono::milliseconds;
using Verdict = ProbeResult::Verdict;

completion::ChatRequest ChatRequestFor(const std::string& prompt, std::int64_t max_tokens) {
    completion::ChatRequest request;
    completion::ChatMessage message;
    message.role = completion::Role::kUser;
    message.text = prompt;
    request.messages.push_back(std::move(message));
    request.members = "\"messages\":[";
    json::Writer(request.members)
        .BeginObject()
        .Field("role", "user")
        .Field("content", prompt)
        .EndObject();
    request.members += "],\"max_tokens\":" + std::to_string(max_tokens);
    request.max_tokens = max_tokens;
    request.fallback = false;
    return request;
}

completion::EmbeddingsRequest EmbeddingsRequestFor(const std::string& prompt) {
    completion::EmbeddingsRequest request;
    request.texts.push_back(prompt);
    request.input_count = 1;
    request.members = "\"input\":";
    json::AppendQuoted(prompt, request.members);
    request.fallback = false;
    return request;
}

ProbeResult NotAsked(const routing::Candidate& candidate, Verdict verdict, std::string reason) {
    ProbeResult result;
    result.candidate = &candidate;
    result.verdict = verdict;
    result.reason = std::move(reason);
    return result;
}

// Ended by us and not by a limit of its own: that says nothing about the model.
bool WasGivenUp(const Error& error) {
    return error.kind == ErrorKind::kCancelled || error.code == "deadline_exceeded";
}

}  // namespace

// What the workers of one round share. Held by each of them, so that it does not matter in which
// order a loop that ends drops them.
struct Prober::Round {
    using Timer = boost::asio::basic_waitable_timer<
        std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

    Round(const Executor& executor, Cancellation& caller) : cancellation(caller), ended(executor) {
        ended.expires_at(MonotonicTime::max());
    }

    std::vector<const routing::Candidate*> candidates;
    std::string request_id;
    MonotonicTime deadline;
    Cancellation& cancellation;
    std::function<void(const ProbeResult&)> on_result;
    std::vector<ProbeResult> results;
    std::size_t next = 0;
    std::size_t workers = 0;
    Timer ended;  // cancelled by the last worker
};

std::string WhySkipped(const routing::Candidate& candidate) {
    if (candidate.availability != routing::Availability::kAvailable) {
        return candidate.unavailable_reason.empty() ? "the model cannot be used"
                                                    : candidate.unavailable_reason;
    }
    if (!ProbePolicy::Read(candidate.row->settings).enabled)
        return "probes are switched off for this model (settings.health_check)";
    return {};
}

Prober::Prober(Options options, pipeline::PipelineShared& shared, http::client::HttpClient& client,
               TimerQueue& timers)
    : options_(std::move(options)),
      shared_(shared),
      random_(MakeRandom()),
      tools_{client, timers, shared.clock, *random_, shared.settings, shared.drains},
      recorder_(shared, *random_) {}

Task<> Prober::Ask(const routing::Candidate& candidate, Round& round,
                   pipeline::AttemptResult& result) {
    if (!candidate.chats && candidate.embeds) {
        const completion::EmbeddingsRequest request = EmbeddingsRequestFor(options_.prompt);
        co_await pipeline::RunAttempt(tools_, candidate, request, round.deadline,
                                      round.cancellation, result);
        co_return;
    }
    const std::int64_t max_tokens = ProbePolicy::Read(candidate.row->settings).max_tokens;
    const completion::ChatRequest request = ChatRequestFor(options_.prompt, max_tokens);
    co_await pipeline::RunAttempt(tools_, candidate, request, nullptr, round.deadline,
                                  round.cancellation, result);
}

Task<ProbeResult> Prober::Probe(const routing::Candidate& candidate, Round& round) {
    if (std::string reason = WhySkipped(candidate); !reason.empty())
        co_return NotAsked(candidate, Verdict::kSkipped, std::move(reason));
    const MonotonicTime started = shared_.clock.Now();
    if (closed_ || round.cancellation.IsCancelled() || started >= round.deadline)
        co_return NotAsked(candidate, Verdict::kCancelled, "the round ended before its turn");
    // A breaker that is open does not keep a probe away: whether the model is back is the question.
    CircuitBreaker::Permit permit = candidate.state->breaker.Acquire(started);
    if (permit == CircuitBreaker::Permit::kRefused) permit = CircuitBreaker::Permit::kForced;
    pipeline::AttemptResult attempt;
    co_await Ask(candidate, round, attempt);
    ProbeResult result;
    result.candidate = &candidate;
    result.duration = duration_cast<milliseconds>(attempt.duration);
    if (attempt.error && WasGivenUp(*attempt.error)) {
        candidate.state->breaker.Record(permit, CircuitBreaker::Outcome::kNeutral,
                                        shared_.clock.Now());
        result.verdict = Verdict::kCancelled;
        result.reason = "the round ended before there was an answer";
        co_return result;
    }
    const pipeline::Recorder::AttemptFacts facts{candidate, permit, started};
    const auto ticket = recorder_.OnProbe(round.request_id, facts, attempt);
    result.verdict = attempt.error ? Verdict::kFailed : Verdict::kAnswered;
    if (attempt.error) {
        result.reason =
            std::string(ErrorKindName(attempt.error->kind)) + ": " + attempt.error->message;
        result.error = attempt.error;
    }
    if (shared_.ledger.NeedsWait(ticket)) co_await shared_.ledger.Wait(ticket);
    co_return result;
}

Task<> Prober::Work(Prober& prober, std::shared_ptr<Round> round) {
    while (round->next < round->candidates.size()) {
        const std::size_t index = round->next++;
        ProbeResult result = co_await prober.Probe(*round->candidates[index], *round);
        if (round->on_result) round->on_result(result);
        round->results[index] = std::move(result);
    }
}

Task<std::vector<ProbeResult>> Prober::ProbeAll(std::vector<const routing::Candidate*> candidates,
                                                std::string request_id, MonotonicTime deadline,
                                                Cancellation& cancellation,
                                                std::function<void(const ProbeResult&)> on_result) {
    const Executor executor = co_await boost::asio::this_coro::executor;
    const auto round = std::make_shared<Round>(executor, cancellation);
    round->candidates = std::move(candidates);
    for (const routing::Candidate* candidate : round->candidates)
        round->results.push_back(NotAsked(*candidate, Verdict::kCancelled, "the probe broke off"));
    round->request_id = std::move(request_id);
    round->deadline = deadline;
    round->on_result = std::move(on_result);
    round->workers = std::min(options_.most_at_once, round->candidates.size());
    for (std::size_t i = round->workers; i > 0; --i) {
        boost::asio::co_spawn(executor, Work(*this, round), [round](std::exception_ptr) {
            if (--round->workers == 0) round->ended.cancel();
        });
    }
    while (round->workers > 0) {
        boost::system::error_code ignored;
        co_await round->ended.async_wait(boost::asio::redirect_error(kUseTask, ignored));
    }
    co_return std::move(round->results);
}

}  // namespace aim::probe
