#include "services/data_api/database/model_repository.hpp"

#include <utility>

#include "core/security/encoding.hpp"
#include "services/data_api/database/array_literal.hpp"

namespace aim::data_api::database {
namespace {

// Probes are counted as well as prompts; to five minutes. All models at once in one pass: their
// rows lie among each other, so looking each model up would read every page once a model.
#define AIM_DAY_COUNT "coalesce(d.outcomes, 0)"
#define AIM_DAY_OF_ALL                                                                          \
    " LEFT JOIN (SELECT s.model_id, sum(s.outcomes)::bigint AS outcomes FROM outcome_slices s " \
    "WHERE s.slice >= first_outcome_slice() GROUP BY s.model_id) d ON d.model_id = m.id"
#define AIM_DAY_OF_ONE                                                                      \
    " LEFT JOIN LATERAL (SELECT sum(s.outcomes)::bigint AS outcomes FROM outcome_slices s " \
    "WHERE s.model_id = m.id AND s.slice >= first_outcome_slice()) d ON true"
#define AIM_FILTER " WHERE ($1::boolean IS NULL OR m.is_active = $1::boolean)"

constexpr Statement kFingerprint{"models_fingerprint",
                                 "SELECT (SELECT left(id::text, 8) FROM database_identity), "
                                 "count(*), coalesce(sum(version), 0)::bigint"
                                 " FROM ai_models m" AIM_FILTER};
constexpr Statement kIdentity{"database_identity",
                              "SELECT left(id::text, 8) FROM database_identity"};
constexpr Statement kList{"models_list",
                          "SELECT " AIM_MODEL_COLUMNS " FROM ai_models m" AIM_FILTER};
constexpr Statement kListWithDay{"models_list_day", "SELECT " AIM_MODEL_COLUMNS ", " AIM_DAY_COUNT
                                                    " FROM ai_models m" AIM_DAY_OF_ALL AIM_FILTER};
constexpr Statement kFind{"models_find",
                          "SELECT " AIM_MODEL_COLUMNS " FROM ai_models m WHERE m.id = $1::uuid"};
constexpr Statement kFindWithDay{"models_find_day",
                                 "SELECT " AIM_MODEL_COLUMNS ", " AIM_DAY_COUNT
                                 " FROM ai_models m" AIM_DAY_OF_ONE " WHERE m.id = $1::uuid"};
constexpr Statement kInsert{
    "models_insert",
    "INSERT INTO ai_models AS m (id, name, provider, endpoint, upstream_model, is_active, "
    "settings, context_window, capabilities,"
    " input_price_per_million, output_price_per_million, api_key_ciphertext, api_key_key_id) "
    "VALUES ($1::uuid, $2::text, $3::text, "
    "coalesce($4::text, ''), coalesce($5::text, $2::text),"
    " coalesce($6::boolean, true), coalesce($7::jsonb, '{}'), $8::bigint, $9::text[], "
    "$10::numeric, $11::numeric, $12::bytea, $13::text)"
    " RETURNING " AIM_MODEL_COLUMNS};
// A pair of parameters for what may be set to NULL: whether it was given, and the value.
constexpr Statement kUpdate{
    "models_update",
    "UPDATE ai_models m SET name = coalesce($2::text, name), provider = coalesce($3::text, "
    "provider), endpoint = coalesce($4::text, endpoint),"
    " upstream_model = coalesce($5::text, upstream_model), is_active = coalesce($6::boolean, "
    "is_active),"
    " settings = (settings || coalesce($7::jsonb, '{}')) - $8::text[],"
    " context_window = CASE WHEN $9::boolean THEN $10::bigint ELSE context_window END,"
    " capabilities = CASE WHEN $11::boolean THEN $12::text[] ELSE capabilities END,"
    " input_price_per_million = CASE WHEN $13::boolean THEN $14::numeric ELSE "
    "input_price_per_million END,"
    " output_price_per_million = CASE WHEN $15::boolean THEN $16::numeric ELSE "
    "output_price_per_million END,"
    " api_key_ciphertext = CASE WHEN $17::boolean THEN $18::bytea ELSE api_key_ciphertext END,"
    " api_key_key_id = CASE WHEN $17::boolean THEN $19::text ELSE api_key_key_id END"
    " WHERE m.id = $1::uuid RETURNING " AIM_MODEL_COLUMNS};
// Only while the row still has the key that was read.
constexpr Statement kReplaceKey{
    "models_replace_key",
    "UPDATE ai_models m SET api_key_ciphertext = $2::bytea, api_key_key_id = $3::text"
    " WHERE m.id = $1::uuid AND m.api_key_ciphertext = $4::bytea RETURNING " AIM_MODEL_COLUMNS};
constexpr Statement kDelete{"models_delete", "DELETE FROM ai_models WHERE id = $1::uuid"};
constexpr Statement kCount{
    "models_count",
    "UPDATE ai_models m SET total_requests = total_requests + 1,"
    " successful_requests = successful_requests + CASE WHEN $2::boolean THEN 1 ELSE 0 END,"
    " failed_requests = failed_requests + CASE WHEN $2::boolean THEN 0 ELSE 1 END,"
    " timed_requests = timed_requests + CASE WHEN $3::bigint IS NULL THEN 0 ELSE 1 END,"
    " response_time_sum_us = response_time_sum_us + coalesce($3::bigint, 0), last_check_at = "
    "greatest(last_check_at, now()),"
    " last_success_at = CASE WHEN $2::boolean THEN greatest(last_success_at, now()) ELSE "
    "last_success_at END"
    " WHERE m.id = $1::uuid RETURNING " AIM_MODEL_COLUMNS};

Parameter Flag(bool value) { return value ? "t" : "f"; }
Parameter Number(const std::optional<std::int64_t>& value) {
    return value ? Parameter(std::to_string(*value)) : std::nullopt;
}
Parameter Names(const std::vector<std::string>& names) {
    ArrayLiteral literal;
    for (const std::string& name : names) literal.AddText(name);
    return literal.Take();
}

Parameters FilterParameters(const models::Filter& filter) {
    return {filter.is_active ? Flag(*filter.is_active) : std::nullopt};
}

Parameter ContextWindow(const ModelChange& change) {
    return change.context_window ? Number(*change.context_window) : std::nullopt;
}
Parameter Capabilities(const ModelChange& change) {
    return change.capabilities && *change.capabilities ? Names(**change.capabilities)
                                                       : std::nullopt;
}
Parameter Price(const std::optional<std::optional<std::string>>& price) {
    return price ? *price : std::nullopt;
}

Parameter BytesParameter(std::string_view bytes) { return "\\x" + security::HexEncode(bytes); }
Parameter Ciphertext(const ModelChange& change) {
    return change.sealed_key ? BytesParameter(change.sealed_key->ciphertext) : std::nullopt;
}
Parameter KeyId(const ModelChange& change) {
    return change.sealed_key ? Parameter(change.sealed_key->key_id) : std::nullopt;
}

SqlResult<std::optional<ModelRow>> OnlyRow(SqlResult<Rows> rows, bool with_day = false) {
    if (!rows) return SqlFailure(std::move(rows.error()));
    if (rows->empty()) return std::optional<ModelRow>();
    ModelRow row = ReadModelRow(*rows, 0);
    if (with_day) row.record.last_24h_requests = rows->Int64(0, kModelColumns);
    return std::optional(std::move(row));
}

}  // namespace

ModelRow ReadModelRow(const Rows& rows, int row) {
    ModelRow model;
    completion::ModelRecord& record = model.record;
    int column = 0;
    record.id = rows.Id(row, column++);
    record.name = rows.Text(row, column++);
    record.provider = rows.Text(row, column++);
    record.endpoint = rows.Text(row, column++);
    record.upstream_model = rows.Text(row, column++);
    record.is_active = rows.Bool(row, column++);
    record.settings = rows.Text(row, column++);
    record.context_window = rows.OptionalInt64(row, column++);
    record.capabilities = rows.OptionalTexts(row, column++);
    record.input_price_per_million = rows.Text(row, column++);
    record.output_price_per_million = rows.Text(row, column++);
    model.api_key_ciphertext = rows.OptionalText(row, column++);
    record.has_api_key = model.api_key_ciphertext.has_value();
    model.api_key_key_id = rows.OptionalText(row, column++);
    record.total_requests = rows.Int64(row, column++);
    record.successful_requests = rows.Int64(row, column++);
    record.failed_requests = rows.Int64(row, column++);
    record.timed_requests = rows.Int64(row, column++);
    record.response_time_sum_us = rows.Int64(row, column++);
    record.last_check_at = rows.OptionalTime(row, column++);
    record.last_success_at = rows.OptionalTime(row, column++);
    record.created_at = rows.OptionalTime(row, column++);
    model.updated_at = rows.Time(row, column++);
    record.version = rows.Int64(row, column++);
    return model;
}

namespace models {

std::string Fingerprint::ToEtag() const {
    return "\"" + database + "-" + std::to_string(count) + "-" + std::to_string(version_sum) + "\"";
}

SqlResult<Fingerprint> ReadFingerprint(ConnectionPool::Lease& lease, const Filter& filter) {
    auto rows = lease.RunOne(kFingerprint, FilterParameters(filter));
    if (!rows) return SqlFailure(std::move(rows.error()));
    return Fingerprint{std::string(rows->Text(0, 0)), rows->Int64(0, 1), rows->Int64(0, 2)};
}

SqlResult<Listing> List(ConnectionPool::Lease& lease, const Filter& filter, bool count_day) {
    const Command commands[] = {{&kIdentity},
                                {count_day ? &kListWithDay : &kList, FilterParameters(filter)}};
    auto results = lease.Run(commands);
    if (!results) return SqlFailure(std::move(results.error()));
    const Rows& rows = (*results)[1];
    Listing listing;
    listing.fingerprint.database = (*results)[0].Text(0, 0);
    listing.fingerprint.count = rows.size();
    listing.rows.reserve(static_cast<std::size_t>(rows.size()));
    for (int i = 0; i < rows.size(); ++i) {
        listing.rows.push_back(ReadModelRow(rows, i));
        if (count_day) listing.rows.back().record.last_24h_requests = rows.Int64(i, kModelColumns);
        listing.fingerprint.version_sum += listing.rows.back().record.version;
    }
    return listing;
}

SqlResult<std::optional<ModelRow>> Find(ConnectionPool::Lease& lease, const Uuid& id,
                                        bool count_day) {
    return OnlyRow(lease.RunOne(count_day ? kFindWithDay : kFind, {id.ToString()}), count_day);
}

SqlResult<ModelRow> Insert(ConnectionPool::Lease& lease, const Uuid& id,
                           const ModelChange& change) {
    auto row = OnlyRow(lease.RunOne(
        kInsert,
        {id.ToString(), change.name, change.provider, change.endpoint, change.upstream_model,
         change.is_active ? Flag(*change.is_active) : std::nullopt, change.settings,
         ContextWindow(change), Capabilities(change), Price(change.input_price_per_million),
         Price(change.output_price_per_million), Ciphertext(change), KeyId(change)}));
    if (!row) return SqlFailure(std::move(row.error()));
    return std::move(**row);
}

SqlResult<std::optional<ModelRow>> Update(ConnectionPool::Lease& lease, const Uuid& id,
                                          const ModelChange& change) {
    return OnlyRow(lease.RunOne(
        kUpdate,
        {id.ToString(), change.name, change.provider, change.endpoint, change.upstream_model,
         change.is_active ? Flag(*change.is_active) : std::nullopt, change.settings,
         Names(change.removed_settings), Flag(change.context_window.has_value()),
         ContextWindow(change), Flag(change.capabilities.has_value()), Capabilities(change),
         Flag(change.input_price_per_million.has_value()), Price(change.input_price_per_million),
         Flag(change.output_price_per_million.has_value()), Price(change.output_price_per_million),
         Flag(change.api_key.has_value()), Ciphertext(change), KeyId(change)}));
}

SqlResult<std::optional<ModelRow>> ReplaceKey(ConnectionPool::Lease& lease, const Uuid& id,
                                              const SealedKey& key,
                                              std::string_view known_ciphertext) {
    return OnlyRow(lease.RunOne(kReplaceKey, {id.ToString(), BytesParameter(key.ciphertext),
                                              key.key_id, BytesParameter(known_ciphertext)}));
}

SqlResult<bool> Delete(ConnectionPool::Lease& lease, const Uuid& id) {
    auto rows = lease.RunOne(kDelete, {id.ToString()});
    if (!rows) return SqlFailure(std::move(rows.error()));
    return rows->affected() > 0;
}

SqlResult<std::optional<ModelRow>> Count(ConnectionPool::Lease& lease, const Uuid& id, bool success,
                                         std::optional<std::int64_t> response_time_us) {
    return OnlyRow(lease.RunOne(kCount, {id.ToString(), Flag(success), Number(response_time_us)}));
}

}  // namespace models
}  // namespace aim::data_api::database
