#include "services/data_api/database/supervisor.hpp"

#include <algorithm>
#include <chrono>

#include <pthread.h>
#include <signal.h>

namespace aim::data_api::database {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kLookInterval{1000};
constexpr milliseconds kFirstRetry{100};
constexpr milliseconds kLongestRetry{1000};
constexpr seconds kPingTime{3};
constexpr seconds kMigrationTime{300};
constexpr std::chrono::hours kTendInterval{1};

constexpr Statement kPing{"supervisor_ping", "SELECT 1"};
// Yesterday's for what is delivered late, a week ahead so that a stopped supervisor is noticed
// before it matters.
constexpr Statement kPartitions{"supervisor_partitions",
                                "SELECT count(*) FILTER (WHERE ensure_outcome_partition(day)) FROM"
                                " (SELECT (now() AT TIME ZONE 'UTC')::date + d AS day FROM "
                                "generate_series(-1, 7) AS d ORDER BY d) AS days"};

// What no count of the last 24 hours needs any more.
constexpr Statement kOldSlices{"supervisor_old_slices",
                               "DELETE FROM outcome_slices WHERE slice < first_outcome_slice()"};

MonotonicTime After(std::chrono::nanoseconds duration) { return SystemClock().Now() + duration; }

}  // namespace

Supervisor::Supervisor(const ConnectionSettings& settings, DatabaseState& state,
                       telemetry::Logger& logger, Plan plan)
    : state_(state),
      logger_(logger),
      plan_(std::move(plan)),
      connection_(settings),
      retention_(plan_.retention_days, logger) {
    connection_.StopWhen(state_.stopped());
}

Supervisor::~Supervisor() { Stop(); }

void Supervisor::Start() {
    thread_ = std::thread([this] {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, nullptr);
        Run();
    });
}

void Supervisor::Stop() {
    state_.Stop();
    if (thread_.joinable()) thread_.join();
}

void Supervisor::Run() {
    milliseconds retry = kFirstRetry;
    while (!state_.stopped().load()) {
        if (Look()) {
            if (!state_.is_up()) logger_.Info("database_up", "The database answers");
            state_.MarkUp();
            retry = kFirstRetry;
            state_.WaitForTrouble(kLookInterval);
            continue;
        }
        if (hopeless_) {
            if (plan_.on_hopeless) plan_.on_hopeless(failure_);
            return;
        }
        if (state_.is_up() || state_.reason() != failure_)
            logger_.Warning("database_down", "The database cannot be used", {{"reason", failure_}});
        state_.MarkDown(failure_);
        state_.WaitForTrouble(milliseconds(0));  // our own mark
        state_.WaitForTrouble(retry);
        retry = std::min(retry * 2, kLongestRetry);
    }
}

bool Supervisor::Look() {
    if (const auto open = connection_.EnsureOpen(After(kPingTime)); !open) {
        failure_ = open.error().message;
        return false;
    }
    if (!migrated_.load() && !Migrate()) return false;
    const auto pong = connection_.RunOne(kPing, {}, After(kPingTime));
    if (!pong) {
        failure_ = pong.error().message;
        return false;
    }
    if (SystemClock().Now() >= tending_due_ && !TendLedger()) return false;
    if (const auto tended = retention_.Tend(connection_, SystemClock().Now()); !tended) {
        failure_ = tended.error().message;
        return false;
    }
    return true;
}

bool Supervisor::Migrate() {
    const auto applied = ApplyMigrations(connection_, plan_.migrations, After(kMigrationTime));
    if (!applied) {
        failure_ = applied.error().message;
        hopeless_ = applied.error().definite;
        return false;
    }
    bool seeded = false;
    // Without seeds the database stays unseeded, so that it can still be done later.
    if (!plan_.seeds.empty()) {
        const auto done = ApplySeeds(connection_, plan_.seeds, After(kMigrationTime));
        if (!done) {
            failure_ = done.error().message;
            hopeless_ = done.error().definite;
            return false;
        }
        seeded = *done;
    }
    migrated_.store(true);
    logger_.Info("database_migrated", "The database's tables are up to date",
                 {{"migrations_applied", *applied}, {"seeded", seeded}});
    if (const auto open = connection_.EnsureOpen(After(kPingTime)); !open) {
        failure_ = open.error().message;
        return false;
    }
    return true;
}

bool Supervisor::TendLedger() {
    // The default partition takes what has no partition of its own, and old slices are only in the
    // way: a failure is no reason to stop serving.
    if (!Tend(kPartitions, "partitions_failed", "The ledger's partitions could not be made") ||
        !Tend(kOldSlices, "old_slices_failed", "Old slices of the ledger could not be deleted"))
        return false;
    tending_due_ = After(kTendInterval);
    return true;
}

bool Supervisor::Tend(const Statement& statement, std::string_view event,
                      std::string_view message) {
    const auto done = connection_.RunOne(statement, {}, After(seconds(30)));
    if (done) return true;
    if (done.error().IsUnavailable()) {
        failure_ = done.error().message;
        return false;
    }
    logger_.Error(event, message, {{"reason", done.error().message}});
    return true;
}

}  // namespace aim::data_api::database
