#include "services/data_api/database/ledger_repository.hpp"

#include <algorithm>
#include <chrono>
#include <span>
#include <thread>
#include <unordered_set>
#include <utility>

#include "services/data_api/database/array_literal.hpp"
#include "services/data_api/database/history_repository.hpp"
#include "services/data_api/database/model_repository.hpp"

namespace aim::data_api::database::ledger {
namespace {

constexpr int kAttempts = 8;

constexpr Statement kBegin{"begin", "BEGIN"};
constexpr Statement kCommit{"commit", "COMMIT"};
constexpr Statement kOldest{"ledger_oldest", "SELECT oldest_outcome_id()"};
constexpr Statement kLock{
    "ledger_lock", "SELECT id FROM ai_models WHERE id = ANY ($1::uuid[]) ORDER BY id FOR UPDATE"};
constexpr Statement kModels{
    "ledger_models", "SELECT " AIM_MODEL_COLUMNS " FROM ai_models m WHERE m.id = ANY ($1::uuid[])"};
// A clock that runs ahead must not put a model's last check into the future.
constexpr Statement kOutcomes{
    "ledger_outcomes",
    "WITH inserted AS ("
    " INSERT INTO request_outcomes (id, request_id, model_id, provider, outcome, counts, "
    "response_time_us, first_content_ms,"
    " prompt_tokens, completion_tokens, cost, source, occurred_at)"
    " SELECT id, request_id, model_id, provider, outcome, counts, response_time_us, "
    "first_content_ms, prompt_tokens,"
    " completion_tokens, cost, source, TIMESTAMPTZ 'epoch' + occurred_us * INTERVAL '1 microsecond'"
    " FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::boolean[], "
    "$7::bigint[], $8::bigint[],"
    " $9::bigint[], $10::bigint[], $11::numeric[], $12::text[], $13::bigint[]) AS i (id, "
    "request_id, model_id, provider, outcome,"
    " counts, response_time_us, first_content_ms, prompt_tokens, completion_tokens, cost, source, "
    "occurred_us)"
    " ORDER BY id ON CONFLICT (id) DO NOTHING"
    " RETURNING model_id, outcome = 'success' AS success, counts, response_time_us, "
    "least(occurred_at, now()) AS occurred_at"
    "), sums AS ("
    " SELECT model_id, count(*) FILTER (WHERE counts) AS total, count(*) FILTER (WHERE counts AND "
    "success) AS successful,"
    " count(*) FILTER (WHERE counts AND NOT success) AS failed, count(response_time_us) FILTER "
    "(WHERE counts) AS timed,"
    " coalesce(sum(response_time_us) FILTER (WHERE counts), 0)::bigint AS time_us, "
    "max(occurred_at) AS checked_at,"
    " max(occurred_at) FILTER (WHERE success) AS succeeded_at FROM inserted GROUP BY model_id"
    "), updated AS ("
    " UPDATE ai_models m SET total_requests = m.total_requests + s.total,"
    " successful_requests = m.successful_requests + s.successful, failed_requests = "
    "m.failed_requests + s.failed,"
    " timed_requests = m.timed_requests + s.timed, response_time_sum_us = m.response_time_sum_us + "
    "s.time_us,"
    " last_check_at = greatest(m.last_check_at, s.checked_at), last_success_at = "
    "greatest(m.last_success_at, s.succeeded_at)"
    " FROM sums s WHERE m.id = s.model_id"
    "), sliced AS ("
    " INSERT INTO outcome_slices AS o (model_id, slice, outcomes)"
    " SELECT model_id, outcome_slice(occurred_at), count(*) FROM inserted WHERE occurred_at >= "
    "first_outcome_slice()"
    " GROUP BY 1, 2 ORDER BY 1, 2 ON CONFLICT (model_id, slice) DO UPDATE SET outcomes = "
    "o.outcomes + excluded.outcomes"
    ") SELECT count(*) FROM inserted"};

// What is left of a batch to apply: both are pointers into it, so that halves cost nothing.
struct Part {
    std::vector<const OutcomeRow*> outcomes;
    std::vector<HistoryRow> history;

    std::size_t size() const { return outcomes.size() + history.size(); }
};

std::string IdArray(std::vector<Uuid> ids) {
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    ArrayLiteral literal;
    for (const Uuid& id : ids) literal.AddText(id.ToString());
    return literal.Take();
}

std::string ModelIds(const Part& part) {
    std::vector<Uuid> ids;
    ids.reserve(part.outcomes.size());
    for (const OutcomeRow* outcome : part.outcomes) ids.push_back(outcome->model_id);
    return IdArray(std::move(ids));
}

Command InsertOutcomes(std::span<const OutcomeRow* const> outcomes) {
    ArrayLiteral columns[13];
    for (const OutcomeRow* row : outcomes) {
        ArrayLiteral* column = columns;
        (column++)->AddText(row->id.ToString());
        (column++)->AddOptionalText(row->request_id);
        (column++)->AddText(row->model_id.ToString());
        (column++)->AddOptionalText(row->provider);
        (column++)->AddText(row->outcome);
        (column++)->AddBool(row->counts);
        (column++)->AddOptionalNumber(row->response_time_us);
        (column++)->AddOptionalNumber(row->first_content_ms);
        (column++)->AddOptionalNumber(row->prompt_tokens);
        (column++)->AddOptionalNumber(row->completion_tokens);
        (column++)->AddOptionalText(row->cost);
        (column++)->AddText(row->probe ? "probe" : "prompt");
        (column++)->AddNumber(row->occurred_at.time_since_epoch().count());
    }
    Command command{&kOutcomes};
    for (ArrayLiteral& column : columns) command.parameters.emplace_back(column.Take());
    return command;
}

// One transaction: two round trips.
SqlResult<Applied> ApplyOnce(ConnectionPool::Lease& lease, const Part& part) {
    const std::string model_ids = ModelIds(part);
    const Command first[] = {{&kBegin}, {&kOldest}, {&kLock, {model_ids}}};
    auto locked = lease.Run(first);
    if (!locked) return SqlFailure(std::move(locked.error()));
    const std::optional<Uuid> oldest = (*locked)[1].OptionalId(0, 0);
    std::unordered_set<Uuid> known;
    for (int i = 0; i < (*locked)[2].size(); ++i) known.insert((*locked)[2].Id(i, 0));

    Applied applied;
    std::vector<const OutcomeRow*> outcomes;
    for (const OutcomeRow* outcome : part.outcomes) {
        if (!known.contains(outcome->model_id)) {
            applied.rejected.push_back(
                {outcome->id.ToString(), "there is no model " + outcome->model_id.ToString()});
        } else if (oldest && outcome->id.version() == 7 && outcome->id < *oldest) {
            ++applied.duplicates;  // its day is gone, so nobody can tell whether it was counted
        } else {
            outcomes.push_back(outcome);
        }
    }
    const Command second[] = {InsertOutcomes(outcomes),
                              history::InsertCommand(part.history),
                              {&kModels, {model_ids}},
                              {&kCommit}};
    auto written = lease.Run(second);
    if (!written) {
        lease.Rollback();
        return SqlFailure(std::move(written.error()));
    }
    const std::int64_t inserted = (*written)[0].Int64(0, 0) + (*written)[1].affected();
    applied.applied = inserted;
    applied.duplicates +=
        static_cast<std::int64_t>(outcomes.size() + part.history.size()) - inserted;
    for (int i = 0; i < (*written)[2].size(); ++i)
        applied.models.push_back(ReadModelRow((*written)[2], i));
    return applied;
}

SqlResult<Applied> ApplyWithRetry(ConnectionPool::Lease& lease, const Part& part, Random& random) {
    for (int attempt = 1;; ++attempt) {
        auto applied = ApplyOnce(lease, part);
        const bool again = !applied && applied.error().IsTransient() && attempt < kAttempts &&
                           SystemClock().Now() < lease.deadline();
        if (!again) return applied;
        std::this_thread::sleep_for(
            std::chrono::microseconds(random.Next() % (2000u * static_cast<unsigned>(attempt))));
    }
}

template <typename T>
std::vector<T> Half(const std::vector<T>& all, bool first) {
    const auto middle = all.begin() + static_cast<std::ptrdiff_t>((all.size() + 1) / 2);
    return first ? std::vector<T>(all.begin(), middle) : std::vector<T>(middle, all.end());
}

void Merge(Applied& total, Applied part) {
    total.applied += part.applied;
    total.duplicates += part.duplicates;
    for (Rejected& rejected : part.rejected) total.rejected.push_back(std::move(rejected));
    for (ModelRow& row : part.models) {
        const auto same = [&](const ModelRow& other) { return other.record.id == row.record.id; };
        const auto known = std::find_if(total.models.begin(), total.models.end(), same);
        if (known == total.models.end()) {
            total.models.push_back(std::move(row));
        } else if (known->record.version < row.record.version) {
            *known = std::move(row);
        }
    }
}

SqlResult<Applied> ApplyPart(ConnectionPool::Lease& lease, const Part& part, Random& random) {
    auto applied = ApplyWithRetry(lease, part, random);
    if (applied || !applied.error().IsAboutData()) return applied;
    if (part.size() <= 1) {
        const Uuid id = part.outcomes.empty() ? part.history.front().id : part.outcomes.front()->id;
        Applied rejected;
        rejected.rejected.push_back(
            {id.ToString(), "the database refused it: " + applied.error().message});
        return rejected;
    }
    // Outcomes and history apart, then each in halves.
    const bool mixed = !part.outcomes.empty() && !part.history.empty();
    const Part halves[] = {
        mixed ? Part{part.outcomes, {}} : Part{Half(part.outcomes, true), Half(part.history, true)},
        mixed ? Part{{}, part.history}
              : Part{Half(part.outcomes, false), Half(part.history, false)}};
    Applied total;
    for (const Part& half : halves) {
        auto done = ApplyPart(lease, half, random);
        if (!done) return done;
        Merge(total, std::move(*done));
    }
    return total;
}

}  // namespace

SqlResult<Applied> Apply(ConnectionPool::Lease& lease, const LedgerBatch& batch, Random& random) {
    Part part;
    for (const OutcomeRow& outcome : batch.outcomes) part.outcomes.push_back(&outcome);
    part.history = batch.history;
    if (part.size() == 0) return Applied{};
    return ApplyPart(lease, part, random);
}

}  // namespace aim::data_api::database::ledger
