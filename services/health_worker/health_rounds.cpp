#include "services/health_worker/health_rounds.hpp"

#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>

#include "core/base/error_kind.hpp"
#include "core/base/uuid.hpp"

namespace aim::health_worker {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using Verdict = probe::ProbeResult::Verdict;

// How often a worker without a catalogue looks whether there is one.
constexpr milliseconds kCatalogueLook{50};

std::vector<double> RoundBounds() { return {0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 900, 3600}; }

}  // namespace

HealthRounds::HealthRounds(milliseconds interval, runtime::ModelRuntime& runtime,
                           http::client::HttpClient& client, Loop& loop, telemetry::Logger& logger,
                           telemetry::Metrics& metrics)
    : runtime_(runtime),
      shared_(runtime.shared()),
      logger_(logger),
      schedule_(shared_.clock, interval),
      random_(MakeRandom()),
      prober_({runtime.options().synthetic_test_prompt, kMostAtOnce}, shared_, client,
              loop.timers()),
      probes_(metrics.AddCounterFamily(
          "aimanager_health_probes_total", "Models of a round, by what became of them.",
          {{"result", {"answered", "failed", "skipped", "cancelled"}}})),
      rounds_(metrics.AddCounter("aimanager_health_rounds_total", "Rounds that were begun.")),
      rounds_missed_(metrics.AddCounter("aimanager_health_rounds_missed_total",
                                        "Moments of a round that passed while another ran.")),
      round_time_(metrics.AddHistogram("aimanager_health_round_seconds", "Time of a round.",
                                       RoundBounds())) {
    AddMetrics(metrics, interval);
}

void HealthRounds::AddMetrics(telemetry::Metrics& metrics, milliseconds interval) {
    metrics.AddGauge("aimanager_health_interval_seconds", "HEALTH_CHECK_INTERVAL.",
                     [interval] { return std::chrono::duration<double>(interval).count(); });
    metrics.AddGauge("aimanager_health_last_round_timestamp_seconds",
                     "When the newest round was over, in Unix time; 0 before the first.",
                     [this] { return static_cast<double>(last_round_ms_.load()) / 1e3; });
    metrics.AddGauge("aimanager_limit", "The bounds of queues, pools and buffers.",
                     [] { return static_cast<double>(kMostAtOnce); }, {{"of", "health_probes"}});
}

void HealthRounds::Stop() {
    stopping_ = true;
    prober_.Close();
    if (pausing_ != nullptr) pausing_->cancel();
}

Task<> HealthRounds::PauseUntil(MonotonicTime moment) {
    if (stopping_) co_return;
    const Executor executor = co_await boost::asio::this_coro::executor;
    PauseTimer timer(executor, moment);
    pausing_ = &timer;
    boost::system::error_code ignored;
    co_await timer.async_wait(boost::asio::redirect_error(kUseTask, ignored));
    pausing_ = nullptr;
}

Task<> HealthRounds::AwaitCatalogue() {
    while (!stopping_ && !runtime_.catalogue().status().loaded)
        co_await PauseUntil(shared_.clock.Now() + kCatalogueLook);
}

Task<> HealthRounds::Run() {
    co_await AwaitCatalogue();
    while (!stopping_) {
        const std::uint64_t missed = schedule_.Begin();
        co_await RunRound(missed);
        co_await PauseUntil(schedule_.Next());
    }
}

void HealthRounds::Note(std::string_view request_id, const probe::ProbeResult& result,
                        Tally& tally) {
    const completion::ModelRecord& row = *result.candidate->row;
    switch (result.verdict) {
        case Verdict::kAnswered:
            ++tally.answered;
            probes_.With({"answered"}).Increment();
            logger_.Info("health_check", "The model answers",
                         {{"request_id", request_id},
                          {"model", row.name},
                          {"provider", row.provider},
                          {"success", true},
                          {"response_time_ms", result.duration.count()}});
            return;
        case Verdict::kFailed:
            ++tally.failed;
            probes_.With({"failed"}).Increment();
            logger_.Warning("health_check", "The model does not answer",
                            {{"request_id", request_id},
                             {"model", row.name},
                             {"provider", row.provider},
                             {"success", false},
                             {"response_time_ms", result.duration.count()},
                             {"outcome", ErrorKindName(result.error->kind)},
                             {"upstream_status", result.error->upstream_status},
                             {"reason", result.error->message}});
            return;
        case Verdict::kSkipped:
            ++tally.skipped;
            probes_.With({"skipped"}).Increment();
            break;
        case Verdict::kCancelled:
            ++tally.cancelled;
            probes_.With({"cancelled"}).Increment();
            break;
    }
    logger_.Info("health_check_skipped", "The model was not probed",
                 {{"request_id", request_id},
                  {"model", row.name},
                  {"provider", row.provider},
                  {"reason", result.reason}});
}

Task<> HealthRounds::RunRound(std::uint64_t missed) {
    rounds_missed_.Increment(missed);
    if (missed > 0) {
        logger_.Warning("health_rounds_missed",
                        "Rounds fell out because the one before took too long",
                        {{"rounds", missed}});
    }
    if (shared_.ledger.full()) {
        logger_.Warning("health_round_skipped",
                        "The ledger is full because the data API has been away for too long");
        co_return;
    }
    rounds_.Increment();
    const MonotonicTime started = shared_.clock.Now();
    const auto table = shared_.tables.Get();
    std::vector<const routing::Candidate*> active;
    for (const routing::Candidate& candidate : table->candidates()) {
        if (candidate.availability != routing::Availability::kInactive)
            active.push_back(&candidate);
    }
    const std::string request_id = Uuid::MakeV7(shared_.clock.WallNow(), *random_).ToString();
    logger_.Info("health_round_started", "All active models are being probed",
                 {{"request_id", request_id}, {"models", active.size()}});
    Tally tally;
    const std::function<void(const probe::ProbeResult&)> note =
        [&](const probe::ProbeResult& result) { Note(request_id, result, tally); };
    std::vector<const routing::Candidate*> candidates = active;
    std::string id = request_id;
    co_await prober_.ProbeAll(std::move(candidates), std::move(id), MonotonicTime::max(),
                              cancellation_, note);
    const auto took = shared_.clock.Now() - started;
    round_time_.Observe(std::chrono::duration<double>(took).count());
    last_round_ms_ =
        duration_cast<milliseconds>(shared_.clock.WallNow().time_since_epoch()).count();
    logger_.Info("health_round_finished", "All active models have been probed",
                 {{"request_id", request_id},
                  {"models", active.size()},
                  {"answered", tally.answered},
                  {"failed", tally.failed},
                  {"skipped", tally.skipped},
                  {"cancelled", tally.cancelled},
                  {"duration_ms", duration_cast<milliseconds>(took).count()}});
}

}  // namespace aim::health_worker
