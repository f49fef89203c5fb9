#include "services/data_api/database/history_repository.hpp"

#include <utility>

#include "services/data_api/database/array_literal.hpp"
#include "services/data_api/database/model_repository.hpp"

namespace aim::data_api::database::history {
namespace {

#define AIM_HISTORY_COLUMNS                                                                     \
    "id, request_id, key_id, user_id, user_telegram_id, username, prompt_text, response_text, " \
    "ai_model_id, model_name, "                                                                 \
    "processing_duration_ms, status, error_message, prompt_tokens, completion_tokens, attempts"
// Whole microseconds, unlike to_timestamp's floating point.
#define AIM_TIME_OF(microseconds) \
    "(TIMESTAMPTZ 'epoch' + " microseconds " * INTERVAL '1 microsecond')"

constexpr Statement kInsert{
    "history_insert",
    "INSERT INTO prompt_history (" AIM_HISTORY_COLUMNS ", created_at)"
    " SELECT i.id, i.request_id, i.key_id, i.user_id, i.user_telegram_id, i.username, i.prompt_text, i.response_text, i.ai_model_id,"
    " coalesce(i.model_name, m.name), i.processing_duration_ms, i.status, i.error_message, i.prompt_tokens, i.completion_tokens,"
    " i.attempts::jsonb, " AIM_TIME_OF("i.created_us") " FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[],"
    " $6::text[], $7::text[], $8::text[], $9::uuid[], $10::text[], $11::bigint[], $12::text[], $13::text[], $14::bigint[],"
    " $15::bigint[], $16::text[], $17::bigint[]) AS i (" AIM_HISTORY_COLUMNS ", created_us)"
    " LEFT JOIN ai_models m ON m.id = i.ai_model_id ORDER BY i.id ON CONFLICT (id) DO NOTHING"};
constexpr Statement kFind{
    "history_find", "SELECT " AIM_HISTORY_COLUMNS
                    ", " AIM_MICROSECONDS("created_at") " FROM prompt_history WHERE id = $1::uuid"};

HistoryRow ReadRow(const Rows& rows, int row) {
    HistoryRow history;
    int column = 0;
    history.id = rows.Id(row, column++);
    history.request_id = rows.OptionalText(row, column++);
    history.key_id = rows.OptionalText(row, column++);
    history.user_id = rows.OptionalText(row, column++);
    history.user_telegram_id = rows.OptionalInt64(row, column++);
    history.username = rows.OptionalText(row, column++);
    history.prompt_text = rows.Text(row, column++);
    history.response_text = rows.OptionalText(row, column++);
    history.ai_model_id = rows.OptionalId(row, column++);
    history.model_name = rows.OptionalText(row, column++);
    history.processing_duration_ms = rows.OptionalInt64(row, column++);
    history.status = rows.Text(row, column++);
    history.error_message = rows.OptionalText(row, column++);
    history.prompt_tokens = rows.OptionalInt64(row, column++);
    history.completion_tokens = rows.OptionalInt64(row, column++);
    history.attempts = rows.OptionalText(row, column++);
    history.created_at = rows.Time(row, column++);
    return history;
}

}  // namespace

SqlResult<std::vector<HistoryRow>> List(ConnectionPool::Lease& lease, const Query& query) {
    // A text of its own for each set of filters, planned for it: with "$1 IS NULL OR …" no index
    // would be used.
    Parameters parameters;
    std::string text =
        "SELECT " AIM_HISTORY_COLUMNS ", " AIM_MICROSECONDS("created_at") " FROM prompt_history";
    const auto next = [&](std::string value) {
        parameters.emplace_back(std::move(value));
        return "$" + std::to_string(parameters.size());
    };
    const auto condition = [&](const std::string& sql) {
        text.append(text.find(" WHERE ") == std::string::npos ? " WHERE " : " AND ").append(sql);
    };
    if (query.user_id) condition("user_id = " + next(*query.user_id));
    if (query.key_id) condition("key_id = " + next(*query.key_id));
    if (query.model_id) condition("ai_model_id = " + next(query.model_id->ToString()) + "::uuid");
    if (query.status) condition("status = " + next(*query.status));
    if (query.after) {
        const std::string time =
            next(std::to_string(query.after->created_at.time_since_epoch().count())) + "::bigint";
        const std::string id = next(query.after->id.ToString()) + "::uuid";
        condition("(created_at, id) < (TIMESTAMPTZ 'epoch' + " + time +
                  " * INTERVAL '1 microsecond', " + id + ")");
    }
    text.append(" ORDER BY created_at DESC, id DESC LIMIT ").append(std::to_string(query.limit));
    const Statement statement{"", text.c_str()};
    auto rows = lease.RunOne(statement, std::move(parameters));
    if (!rows) return SqlFailure(std::move(rows.error()));
    std::vector<HistoryRow> page;
    page.reserve(static_cast<std::size_t>(rows->size()));
    for (int i = 0; i < rows->size(); ++i) page.push_back(ReadRow(*rows, i));
    return page;
}

SqlResult<std::optional<HistoryRow>> Find(ConnectionPool::Lease& lease, const Uuid& id) {
    auto rows = lease.RunOne(kFind, {id.ToString()});
    if (!rows) return SqlFailure(std::move(rows.error()));
    if (rows->empty()) return std::optional<HistoryRow>();
    return std::optional(ReadRow(*rows, 0));
}

Command InsertCommand(std::span<const HistoryRow> rows) {
    ArrayLiteral columns[17];
    for (const HistoryRow& row : rows) {
        ArrayLiteral* column = columns;
        (column++)->AddText(row.id.ToString());
        (column++)->AddOptionalText(row.request_id);
        (column++)->AddOptionalText(row.key_id);
        (column++)->AddOptionalText(row.user_id);
        (column++)->AddOptionalNumber(row.user_telegram_id);
        (column++)->AddOptionalText(row.username);
        (column++)->AddText(row.prompt_text);
        (column++)->AddOptionalText(row.response_text);
        (column++)->AddOptionalText(row.ai_model_id ? std::optional(row.ai_model_id->ToString())
                                                    : std::nullopt);
        (column++)->AddOptionalText(row.model_name);
        (column++)->AddOptionalNumber(row.processing_duration_ms);
        (column++)->AddText(row.status);
        (column++)->AddOptionalText(row.error_message);
        (column++)->AddOptionalNumber(row.prompt_tokens);
        (column++)->AddOptionalNumber(row.completion_tokens);
        (column++)->AddOptionalText(row.attempts);
        (column++)->AddNumber(row.created_at.time_since_epoch().count());
    }
    Command command{&kInsert};
    for (ArrayLiteral& column : columns) command.parameters.emplace_back(column.Take());
    return command;
}

}  // namespace aim::data_api::database::history
