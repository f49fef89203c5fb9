#include "services/data_api/database/retention.hpp"

#include <string>

namespace aim::data_api::database {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::chrono::hours kInterval{1};
constexpr seconds kRetry{60};
constexpr seconds kStatementTime{5};
constexpr milliseconds kTurn{500};
constexpr std::int64_t kBatch = 2000;  // as in the statements

constexpr Statement kOldPrompts{
    "retention_prompts",
    "WITH old AS (SELECT id FROM prompt_history WHERE created_at < now() - make_interval(days => "
    "$1::int) ORDER BY created_at, id LIMIT 2000 FOR UPDATE SKIP LOCKED), gone AS (DELETE FROM "
    "prompt_history p USING old WHERE p.id = old.id RETURNING 1) SELECT count(*) FROM gone"};
constexpr Statement kOldOutcomeDays{
    "retention_outcome_days",
    "SELECT drop_outcome_days_before((now() AT TIME ZONE 'UTC')::date - $1::int)"};
// With ids that tell no day.
constexpr Statement kOldOutcomes{
    "retention_outcomes",
    "WITH old AS (SELECT id FROM request_outcomes_default WHERE occurred_at < now() - "
    "make_interval(days => $1::int) LIMIT 2000 FOR UPDATE SKIP LOCKED), gone AS (DELETE FROM "
    "request_outcomes_default o USING old WHERE o.id = old.id RETURNING 1) SELECT count(*) FROM "
    "gone"};

}  // namespace

SqlResult<void> Retention::Tend(Connection& connection, MonotonicTime now) {
    if (days_ == 0 || now < due_) return {};
    const MonotonicTime until = now + kTurn;
    while (SystemClock().Now() < until) {
        const SqlResult<bool> more = DeleteSome(connection);
        // A lock or a time that ran out here says nothing about the database.
        if (!more && !connection.is_open()) return SqlFailure(more.error());
        if (!more) {
            logger_.Warning("retention_failed", "What is too old could not be deleted",
                            {{"reason", more.error().message}});
        }
        if (!more || !*more) {
            Report();
            due_ = now + (more ? std::chrono::seconds(kInterval) : kRetry);
            break;
        }
    }
    return {};
}

SqlResult<std::int64_t> Retention::Run(Connection& connection, const Statement& statement) {
    auto rows =
        connection.RunOne(statement, {std::to_string(days_)}, SystemClock().Now() + kStatementTime);
    if (!rows) return SqlFailure(rows.error());
    return rows->Int64(0, 0);
}

// True when there may be more.
SqlResult<bool> Retention::DeleteSome(Connection& connection) {
    const auto prompts = Run(connection, kOldPrompts);
    if (!prompts) return SqlFailure(prompts.error());
    prompts_ += *prompts;
    const auto outcomes = Run(connection, kOldOutcomes);
    if (!outcomes) return SqlFailure(outcomes.error());
    outcomes_ += *outcomes;
    if (*prompts == kBatch || *outcomes == kBatch) return true;
    const auto days = Run(connection, kOldOutcomeDays);
    if (!days) return SqlFailure(days.error());
    outcome_days_ += *days;
    return false;
}

void Retention::Report() {
    if (prompts_ + outcomes_ + outcome_days_ > 0) {
        logger_.Info("retention", "What was too old is deleted",
                     {{"days_kept", days_},
                      {"prompts", prompts_},
                      {"outcomes", outcomes_},
                      {"days_of_outcomes", outcome_days_}});
    }
    prompts_ = outcomes_ = outcome_days_ = 0;
}

}  // namespace aim::data_api::database
