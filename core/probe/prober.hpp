#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
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
#include "core/http/client/http_client.hpp"
#include "core/pipeline/attempt.hpp"
#include "core/pipeline/pipeline_shared.hpp"
#include "core/pipeline/recorder.hpp"
#include "core/routing/candidate.hpp"

namespace aim::probe {

// What became of one model in a round of probes.
struct ProbeResult {
    enum class Verdict {
        kAnswered,
        kFailed,
        kSkipped,    // not asked, `reason` says why: nothing was counted
        kCancelled,  // given up before there was an answer: nothing was counted
    };

    const routing::Candidate* candidate = nullptr;  // of the table that was probed
    Verdict verdict = Verdict::kSkipped;
    std::string reason;          // for people; free of secrets; empty when answered
    std::optional<Error> error;  // of a failure
    std::chrono::milliseconds duration{0};
};

// Asks models a synthetic question, each by the way that a prompt takes (plugin, upstream client,
// timers), whether it is parked or not, and writes down what became of it: as a probe in the
// ledger, in the live rating, in breaker and cooldown. Not streamed, with a capped number of tokens
// for the answer; a model that only embeds is asked for a vector. One object a loop, used on that
// loop's thread.
class Prober {
  public:
    struct Options {
        std::string prompt;
        std::size_t most_at_once = 16;
    };

    // Everything outlives the prober.
    Prober(Options options, pipeline::PipelineShared& shared, http::client::HttpClient& client,
           TimerQueue& timers);
    Prober(const Prober&) = delete;
    Prober& operator=(const Prober&) = delete;

    // Probes the candidates, in their order, `most_at_once` at a time; returns when all are done,
    // with one result for each in the same order. What runs at `deadline`, or when the cancellation
    // is raised, and what has not begun by then is kCancelled. `on_result` is called for each as it
    // comes. The candidates outlive the call. `request_id` is kept with the outcomes.
    Task<std::vector<ProbeResult>> ProbeAll(std::vector<const routing::Candidate*> candidates,
                                            std::string request_id, MonotonicTime deadline,
                                            Cancellation& cancellation,
                                            std::function<void(const ProbeResult&)> on_result = {});

    // What has not begun is kCancelled from now on; what runs goes on.
    void Close() { closed_ = true; }

  private:
    struct Round;

    static Task<> Work(Prober& prober, std::shared_ptr<Round> round);
    Task<> Ask(const routing::Candidate& candidate, Round& round, pipeline::AttemptResult& result);
    Task<ProbeResult> Probe(const routing::Candidate& candidate, Round& round);

    const Options options_;
    pipeline::PipelineShared& shared_;
    std::unique_ptr<Random> random_;
    pipeline::AttemptTools tools_;
    pipeline::Recorder recorder_;
    bool closed_ = false;
};

// Why a candidate is not probed; empty when it is.
std::string WhySkipped(const routing::Candidate& candidate);

}  // namespace aim::probe
