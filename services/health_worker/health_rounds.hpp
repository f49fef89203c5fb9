#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/basic_waitable_timer.hpp>

#include "core/base/cancellation.hpp"
#include "core/base/loop.hpp"
#include "core/base/random.hpp"
#include "core/base/task.hpp"
#include "core/probe/prober.hpp"
#include "core/runtime/model_runtime.hpp"
#include "core/telemetry/log.hpp"
#include "core/telemetry/metrics.hpp"
#include "services/health_worker/round_schedule.hpp"

namespace aim::health_worker {

// The worker's work: a round of probes over all active models as soon as there is a catalogue, then
// one every interval. A log line for each model and one for each round. One loop's thread; the
// metrics are readable from any.
class HealthRounds {
  public:
    static constexpr std::size_t kMostAtOnce = 32;

    // Everything outlives the rounds.
    HealthRounds(std::chrono::milliseconds interval, runtime::ModelRuntime& runtime,
                 http::client::HttpClient& client, Loop& loop, telemetry::Logger& logger,
                 telemetry::Metrics& metrics);

    // Returns after Stop(), when the probes under way are over.
    Task<> Run();

    // No new round and no new probe; on the loop.
    void Stop();
    // The probes under way are given up; on the loop.
    void Cancel() { cancellation_.Cancel(Cancellation::Reason::kShutdown); }

  private:
    struct Tally {
        std::uint64_t answered = 0;
        std::uint64_t failed = 0;
        std::uint64_t skipped = 0;
        std::uint64_t cancelled = 0;
    };

    Task<> AwaitCatalogue();
    Task<> PauseUntil(MonotonicTime moment);
    Task<> RunRound(std::uint64_t missed);
    void Note(std::string_view request_id, const probe::ProbeResult& result, Tally& tally);
    void AddMetrics(telemetry::Metrics& metrics, std::chrono::milliseconds interval);

    runtime::ModelRuntime& runtime_;
    pipeline::PipelineShared& shared_;
    telemetry::Logger& logger_;
    RoundSchedule schedule_;
    std::unique_ptr<Random> random_;
    probe::Prober prober_;
    Cancellation cancellation_;

    using PauseTimer = boost::asio::basic_waitable_timer<
        std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;
    PauseTimer* pausing_ = nullptr;
    bool stopping_ = false;

    telemetry::CounterFamily& probes_;  // result
    telemetry::Counter& rounds_;
    telemetry::Counter& rounds_missed_;
    telemetry::Histogram& round_time_;
    std::atomic<std::int64_t> last_round_ms_{0};  // wall time of the newest round's end; 0 = none
};

}  // namespace aim::health_worker
