#include "services/data_api/database/key_repository.hpp"

#include <chrono>
#include <utility>

#include "services/data_api/database/array_literal.hpp"
#include "services/data_api/database/model_repository.hpp"

namespace aim::data_api::database::keys {
namespace {

#define AIM_KEY_COLUMNS \
    "id, name, prefix, scopes, " AIM_MICROSECONDS("expires_at") ", rate_limit_per_minute," \
    AIM_MICROSECONDS("previous_valid_until") ", " AIM_MICROSECONDS("last_used_at") ", "    \
    AIM_MICROSECONDS("created_at") ", " AIM_MICROSECONDS("rotated_at") ", "                \
    AIM_MICROSECONDS("revoked_at")
#define AIM_KEY_TIME_OF(microseconds) \
    "(TIMESTAMPTZ 'epoch' + " microseconds " * INTERVAL '1 microsecond')"

constexpr Statement kInsert{
    "keys_insert",
    "INSERT INTO api_keys (id, name, hash, prefix, scopes, expires_at, rate_limit_per_minute)"
    " VALUES ($1::uuid, $2::text, decode($3::text, 'hex'), $4::text, $5::text[], " AIM_KEY_TIME_OF(
        "$6::bigint") ", $7::integer) RETURNING " AIM_KEY_COLUMNS};
constexpr Statement kList{"keys_list", "SELECT " AIM_KEY_COLUMNS
                                       " FROM api_keys WHERE $1::boolean OR revoked_at IS NULL"
                                       " ORDER BY name, created_at, id"};
constexpr Statement kFind{"keys_find",
                          "SELECT " AIM_KEY_COLUMNS " FROM api_keys WHERE id = $1::uuid"};
constexpr Statement kRevoke{
    "keys_revoke",
    "UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()), previous_hash = NULL,"
    " previous_valid_until = NULL WHERE id = $1::uuid RETURNING " AIM_KEY_COLUMNS};
constexpr Statement kRotate{
    "keys_rotate",
    "UPDATE api_keys SET hash = decode($2::text, 'hex'), prefix = $3::text, rotated_at = now(),"
    " previous_hash = CASE WHEN $4::bigint > 0 THEN hash END,"
    " previous_valid_until = CASE WHEN $4::bigint > 0"
    " THEN now() + $4::bigint * INTERVAL '1 millisecond' END"
    " WHERE id = $1::uuid AND revoked_at IS NULL AND hash <> decode($2::text, 'hex')"
    " RETURNING " AIM_KEY_COLUMNS};
constexpr Statement kEtag{"keys_etag",
                          "SELECT (SELECT left(id::text, 8) FROM database_identity) || '-' ||"
                          " count(*) || '-' || coalesce(sum(version), 0) FROM api_keys"};
// An earlier secret ends no later than its key.
constexpr Statement kHashes{
    "keys_hashes",
    "SELECT id, encode(hash, 'hex'), scopes, " AIM_MICROSECONDS(
        "expires_at") ", rate_limit_per_minute FROM api_keys"
                      " WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())"
                      " UNION ALL SELECT id, encode(previous_hash, 'hex'), scopes, " AIM_MICROSECONDS(
                          "least(previous_valid_until, expires_at)")
    ", rate_limit_per_minute FROM api_keys WHERE revoked_at IS NULL AND previous_hash IS NOT NULL"
    " AND least(previous_valid_until, expires_at) > now() ORDER BY 1, 2"};
// Locked in the order of their ids: several gateways may tell of the same keys at once.
constexpr Statement kNoteUses{
    "keys_note_uses",
    "WITH given AS (SELECT id, max(used) AS used FROM unnest($1::uuid[], $2::bigint[]) AS g (id, "
    "used) GROUP BY id), locked AS (SELECT k.id, g.used FROM api_keys k JOIN given g ON g.id = "
    "k.id ORDER BY k.id FOR UPDATE OF k)"
    " UPDATE api_keys k SET last_used_at = greatest(k.last_used_at, " AIM_KEY_TIME_OF(
        "l.used") ") FROM locked l WHERE k.id = l.id"};

std::int64_t Microseconds(WallTime time) {
    return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

KeyRow ReadRow(const Rows& rows, int row) {
    KeyRow key;
    int column = 0;
    key.id = rows.Id(row, column++);
    key.name = rows.Text(row, column++);
    key.prefix = rows.Text(row, column++);
    key.scopes = rows.OptionalTexts(row, column++).value_or(std::vector<std::string>());
    key.expires_at = rows.OptionalTime(row, column++);
    key.rate_limit_per_minute = rows.OptionalInt64(row, column++);
    key.previous_valid_until = rows.OptionalTime(row, column++);
    key.last_used_at = rows.OptionalTime(row, column++);
    key.created_at = rows.OptionalTime(row, column++);
    key.rotated_at = rows.OptionalTime(row, column++);
    key.revoked_at = rows.OptionalTime(row, column++);
    return key;
}

SqlResult<std::optional<KeyRow>> OnlyRow(SqlResult<Rows> rows) {
    if (!rows) return SqlFailure(std::move(rows.error()));
    if (rows->empty()) return std::optional<KeyRow>();
    return std::optional(ReadRow(*rows, 0));
}

std::string Quoted(std::string_view tag) { return "\"" + std::string(tag) + "\""; }

}  // namespace

SqlResult<KeyRow> Insert(ConnectionPool::Lease& lease, const Uuid& id, const NewKey& key) {
    ArrayLiteral scopes;
    for (const std::string& scope : key.scopes) scopes.AddText(scope);
    auto row = OnlyRow(lease.RunOne(
        kInsert,
        {id.ToString(), key.name, security::ToHex(key.secret.digest()), key.secret.prefix(),
         scopes.Take(),
         key.expires_at ? Parameter(std::to_string(Microseconds(*key.expires_at))) : std::nullopt,
         key.rate_limit_per_minute ? Parameter(std::to_string(*key.rate_limit_per_minute))
                                   : std::nullopt}));
    if (!row) return SqlFailure(std::move(row.error()));
    return std::move(**row);
}

SqlResult<std::vector<KeyRow>> List(ConnectionPool::Lease& lease, bool with_revoked) {
    auto rows = lease.RunOne(kList, {with_revoked ? "t" : "f"});
    if (!rows) return SqlFailure(std::move(rows.error()));
    std::vector<KeyRow> keys;
    keys.reserve(static_cast<std::size_t>(rows->size()));
    for (int i = 0; i < rows->size(); ++i) keys.push_back(ReadRow(*rows, i));
    return keys;
}

SqlResult<std::optional<KeyRow>> Find(ConnectionPool::Lease& lease, const Uuid& id) {
    return OnlyRow(lease.RunOne(kFind, {id.ToString()}));
}

SqlResult<std::optional<KeyRow>> Revoke(ConnectionPool::Lease& lease, const Uuid& id) {
    return OnlyRow(lease.RunOne(kRevoke, {id.ToString()}));
}

SqlResult<std::optional<KeyRow>> Rotate(ConnectionPool::Lease& lease, const Uuid& id,
                                        const KeyRotation& rotation) {
    return OnlyRow(
        lease.RunOne(kRotate, {id.ToString(), security::ToHex(rotation.secret.digest()),
                               rotation.secret.prefix(), std::to_string(rotation.grace.count())}));
}

SqlResult<std::string> ReadEtag(ConnectionPool::Lease& lease) {
    auto rows = lease.RunOne(kEtag, {});
    if (!rows) return SqlFailure(std::move(rows.error()));
    return Quoted(rows->Text(0, 0));
}

SqlResult<Hashes> ReadHashes(ConnectionPool::Lease& lease) {
    // The tag first: what is changed in between is then fetched once more, and never missed.
    const Command commands[] = {{&kEtag}, {&kHashes}};
    auto results = lease.Run(commands);
    if (!results) return SqlFailure(std::move(results.error()));
    Hashes hashes;
    hashes.etag = Quoted((*results)[0].Text(0, 0));
    const Rows& rows = (*results)[1];
    hashes.rows.reserve(static_cast<std::size_t>(rows.size()));
    for (int i = 0; i < rows.size(); ++i) {
        KeyHashRow key;
        key.id = rows.Id(i, 0);
        key.hash = rows.Text(i, 1);
        key.scopes = rows.OptionalTexts(i, 2).value_or(std::vector<std::string>());
        key.valid_until = rows.OptionalTime(i, 3);
        key.rate_limit_per_minute = rows.OptionalInt64(i, 4);
        hashes.rows.push_back(std::move(key));
    }
    return hashes;
}

SqlResult<std::int64_t> NoteUses(ConnectionPool::Lease& lease, std::span<const KeyUseRecord> uses) {
    ArrayLiteral ids;
    ArrayLiteral times;
    for (const KeyUseRecord& use : uses) {
        ids.AddText(use.id.ToString());
        times.AddNumber(Microseconds(use.last_used_at));
    }
    auto rows = lease.RunOne(kNoteUses, {ids.Take(), times.Take()});
    if (!rows) return SqlFailure(std::move(rows.error()));
    return rows->affected();
}

}  // namespace aim::data_api::database::keys
