#include "core/pipeline/attempt.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/completion/delta_accumulator.hpp"
#include "core/pipeline/plugin_target.hpp"
#include "core/plugin/embeddings_session.hpp"
#include "core/plugin/session_driver.hpp"

namespace aim::pipeline {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

// How often an attempt that is drained looks whether the process ends.
constexpr milliseconds kDrainLook{100};

// Which limit ended an attempt.
enum class Expired { kNone, kFirstContent, kBetweenContent, kWhole, kDeadline, kDrain };

std::string_view Describe(Expired expired) {
    switch (expired) {
        case Expired::kFirstContent:
            return "the provider sent no content in time";
        case Expired::kBetweenContent:
            return "the provider stopped sending content";
        case Expired::kWhole:
            return "the attempt took too long";
        default:
            return "the request's time was over";
    }
}

// The timers of one attempt and the cancellation that they, or the caller's leaving, raise.
class AttemptClock {
  public:
    AttemptClock(AttemptTools& tools, const routing::AttemptTimeouts& timeouts, bool streamed,
                 MonotonicTime deadline, Cancellation& caller)
        : tools_(tools),
          timeouts_(timeouts),
          streamed_(streamed),
          content_(
              [this] {
                  return Expire(content_seen_ ? Expired::kBetweenContent : Expired::kFirstContent);
              },
              tools.timers),
          whole_([this] { return Expire(whole_reason_); }, tools.timers),
          caller_left_(caller, [this, &caller] { OnCallerGone(caller.reason()); }) {
        if (caller.IsCancelled()) stop_.Cancel(caller.reason());
        const MonotonicTime now = tools.clock.Now();
        const MonotonicTime own_end = now + timeouts.attempt;
        whole_reason_ = own_end < deadline ? Expired::kWhole : Expired::kDeadline;
        whole_.timer.ArmAt(std::min(own_end, deadline));
        if (streamed_) content_.timer.ArmAt(now + timeouts.first_content);
    }

    ~AttemptClock() {
        if (draining_) tools_.drains.Leave();
    }
    AttemptClock(const AttemptClock&) = delete;
    AttemptClock& operator=(const AttemptClock&) = delete;

    Cancellation& stop() { return stop_; }
    Expired expired() const { return expired_; }

    // While the client is being written to, the provider is not on the clock.
    void Pause() { content_.timer.Disarm(); }

    // The client has taken what there was; `waited` is how long that took. Only content starts the
    // time between contents anew.
    void Resume(bool content, MonotonicTime::duration waited) {
        if (!streamed_) return;
        if (!content_seen_) {
            // Content was sent: the whole-timer and the deadline give way.
            content_seen_ = true;
            whole_reason_ = Expired::kWhole;
            whole_.timer.ArmAt(tools_.clock.Now() + tools_.settings.stream_max);
            if (draining_) BoundDrain();
        }
        content_.timer.ArmAt(content ? tools_.clock.Now() + timeouts_.between_content
                                     : content_.timer.deadline() + waited);
    }

    // The caller cannot be written to any more. True: the attempt goes on without it.
    bool GoOnAlone() {
        if (!draining_ && !stop_.IsCancelled()) OnCallerGone(Cancellation::Reason::kClientLeft);
        return draining_;
    }
    bool draining() const { return draining_; }

  private:
    void OnCallerGone(Cancellation::Reason reason) {
        const Settings& settings = tools_.settings;
        if (draining_) return;
        if (reason != Cancellation::Reason::kClientLeft || stop_.IsCancelled() ||
            settings.on_disconnect != OnDisconnect::kDrain ||
            !tools_.drains.TryEnter(settings.max_drains)) {
            stop_.Cancel(Cancellation::Reason::kClientLeft);
            return;
        }
        draining_ = true;
        BoundDrain();
        look_.emplace(tools_.timers, [this] { Look(); });
        look_->ArmAfter(kDrainLook);
    }

    // Nobody waits for the end: a stream does not get its long time any more.
    void BoundDrain() {
        const MonotonicTime end = tools_.clock.Now() + timeouts_.attempt;
        if (whole_.timer.deadline() <= end) return;
        whole_reason_ = Expired::kDrain;
        whole_.timer.ArmAt(end);
    }

    void Look() {
        if (tools_.drains.closed()) return Expire(Expired::kDrain);
        look_->ArmAfter(kDrainLook);
    }

    struct NamedTimer {
        template <typename Callback>
        NamedTimer(Callback callback, TimerQueue& queue) : timer(queue, std::move(callback)) {}
        TimerQueue::Timer timer;
    };

    void Expire(Expired reason) {
        expired_ = reason;
        stop_.Cancel(Cancellation::Reason::kDeadline);
    }

    AttemptTools& tools_;
    const routing::AttemptTimeouts timeouts_;
    const bool streamed_;
    bool content_seen_ = false;
    Expired whole_reason_ = Expired::kWhole;
    Expired expired_ = Expired::kNone;
    Cancellation stop_;
    NamedTimer content_;
    NamedTimer whole_;
    bool draining_ = false;
    std::optional<TimerQueue::Timer> look_;  // while draining
    Cancellation::Listener caller_left_;
};

Error MakeTimeout(Expired expired) {
    Error error;
    if (expired == Expired::kDrain) {
        error.kind = ErrorKind::kCancelled;
        error.message = "the client left, and the rest of the answer was over the bounds";
        return error;
    }
    error.kind = ErrorKind::kUpstreamTimeout;
    error.code = expired == Expired::kDeadline ? "deadline_exceeded" : "timeout";
    error.message = Describe(expired);
    return error;
}

// Why the session failed, in words without secrets: a limit of ours, or what the plugin said.
Error FailureOf(const plugin::ProviderSession& session, const AttemptClock& clock,
                const PluginTarget& target, const Cancellation& caller) {
    if (clock.expired() != Expired::kNone) return MakeTimeout(clock.expired());
    Error error = session.error();
    target.slots->Redact(error.message);
    // A provider that says "cancelled" although our caller is still there has failed.
    if (error.kind == ErrorKind::kCancelled && (clock.draining() || !caller.IsCancelled()))
        error.kind = ErrorKind::kUpstreamFailure;
    return error;
}

// What a session is begun with.
template <typename SessionTarget, typename Provider>
SessionTarget TargetOf(const routing::Candidate& candidate, const PluginTarget& target,
                       const std::shared_ptr<const Provider>& provider) {
    SessionTarget made;
    made.provider = provider;
    made.model = candidate.row->upstream_model;
    made.model_json = target.model_json;
    made.endpoint = target.endpoint;
    made.slots = target.slots.get();
    made.limits.connect = candidate.timeouts.connect;
    made.conduct = target.generation->conduct();
    return made;
}

}  // namespace

Task<> RunAttempt(AttemptTools& tools, const routing::Candidate& candidate,
                  const completion::ChatRequest& request, StreamRelay* relay,
                  MonotonicTime deadline, Cancellation& caller, AttemptResult& result) {
    const auto& target = static_cast<const PluginTarget&>(*candidate.target);
    const MonotonicTime started = tools.clock.Now();
    completion::DeltaAccumulator accumulator(plugin::SessionSink::kMaxOutputBytes);
    completion::DeltaBatch batch;
    MonotonicTime::duration client_time{0};
    std::size_t drained_bytes = 0;
    AttemptClock clock(tools, candidate.timeouts, request.stream, deadline, caller);

    plugin::ChatSession session(
        TargetOf<plugin::ChatSession::Target>(candidate, target, target.provider), request,
        tools.client, tools.clock, tools.random.Next(), clock.stop());

    for (;;) {
        const auto status = co_await session.Next(batch);
        const bool failed = status == plugin::ChatSession::Status::kFailed;
        const bool done = status == plugin::ChatSession::Status::kDone;
        const bool content = batch.has_content();
        if (content && !result.first_content)
            result.first_content = duration_cast<milliseconds>(tools.clock.Now() - started);

        // Before the first content nothing goes out, so that a failure stays unseen; what came by
        // then is held in the batch.
        const bool forward = relay != nullptr && !clock.draining() &&
                             (result.content_started || (!failed && (content || done)));
        const bool hold = relay != nullptr && !forward && !failed && !clock.draining();
        if (!hold && !accumulator.Add(batch)) {
            result.error =
                Fail(ErrorKind::kProtocolError,
                     "the answer has more choices, tool calls or text than the gateway takes")
                    .value();
            break;
        }
        if (forward) {
            clock.Pause();
            result.content_started = true;
            const MonotonicTime handed_over = tools.clock.Now();
            const bool written = co_await relay->Forward(candidate, batch);
            const auto waited = tools.clock.Now() - handed_over;
            client_time += waited;
            if (!written && !failed && !clock.GoOnAlone()) {
                result.error = Fail(ErrorKind::kCancelled, "the client left").value();
                break;
            }
            clock.Resume(content, waited);
        } else if (clock.draining()) {
            drained_bytes += batch.text_bytes();
            if (content) clock.Resume(true, MonotonicTime::duration(0));
        }
        if (!hold) batch.Clear();
        if (failed) {
            result.error = FailureOf(session, clock, target, caller);
            result.plugin_fault = session.plugin_fault();
            break;
        }
        if (done) {
            result.plugin_fault = session.plugin_fault();
            break;
        }
        if (drained_bytes > tools.settings.drain_text_bytes) {
            result.error = MakeTimeout(Expired::kDrain);
            break;
        }
    }
    result.client_left = clock.draining();
    result.response = accumulator.Take();
    result.duration =
        duration_cast<std::chrono::microseconds>(tools.clock.Now() - started - client_time);
}

Task<> RunAttempt(AttemptTools& tools, const routing::Candidate& candidate,
                  const completion::EmbeddingsRequest& request, MonotonicTime deadline,
                  Cancellation& caller, AttemptResult& result) {
    const auto& target = static_cast<const PluginTarget&>(*candidate.target);
    const MonotonicTime started = tools.clock.Now();
    AttemptClock clock(tools, candidate.timeouts, false, deadline, caller);

    plugin::EmbeddingsSession session(
        TargetOf<plugin::EmbeddingsSession::Target>(candidate, target, target.embeddings), request,
        tools.client, tools.clock, tools.random.Next(), clock.stop());

    completion::DeltaBatch batch;
    auto status = plugin::ProviderSession::Status::kMore;
    while (status == plugin::ProviderSession::Status::kMore) {
        status = co_await session.Next(batch);
        if (batch.has_usage()) result.response.usage.Merge(batch.usage());
        batch.Clear();
    }
    if (status == plugin::ProviderSession::Status::kFailed)
        result.error = FailureOf(session, clock, target, caller);
    result.plugin_fault = session.plugin_fault();
    result.vectors = session.TakeVectors();
    result.client_left = clock.draining();
    result.duration = duration_cast<std::chrono::microseconds>(tools.clock.Now() - started);
}

}  // namespace aim::pipeline
