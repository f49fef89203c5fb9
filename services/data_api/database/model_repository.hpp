#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/uuid.hpp"
#include "services/data_api/database/connection_pool.hpp"
#include "services/data_api/records/model_record.hpp"

namespace aim::data_api::database {

// The statements about ai_models. Each method is one request's use of a lease; stateless, any
// thread.
namespace models {

struct Filter {
    std::optional<bool> is_active;
};

// What the ETag is made of: changes whenever one of the rows does.
struct Fingerprint {
    std::string database;  // its identity, short
    std::int64_t count = 0;
    std::int64_t version_sum = 0;

    std::string ToEtag() const;
};

SqlResult<Fingerprint> ReadFingerprint(ConnectionPool::Lease& lease, const Filter& filter);

struct Listing {
    Fingerprint fingerprint;     // of exactly these rows
    std::vector<ModelRow> rows;  // in no order
};
// `count_day` fills in last_24h_requests.
SqlResult<Listing> List(ConnectionPool::Lease& lease, const Filter& filter, bool count_day);

SqlResult<std::optional<ModelRow>> Find(ConnectionPool::Lease& lease, const Uuid& id,
                                        bool count_day);

// Fails with a unique violation when the name is taken.
SqlResult<ModelRow> Insert(ConnectionPool::Lease& lease, const Uuid& id, const ModelChange& change);

// Empty when there is no such row, here and below.
SqlResult<std::optional<ModelRow>> Update(ConnectionPool::Lease& lease, const Uuid& id,
                                          const ModelChange& change);
// The same key under another master key; empty as well when the row has another key by now.
SqlResult<std::optional<ModelRow>> ReplaceKey(ConnectionPool::Lease& lease, const Uuid& id,
                                              const SealedKey& key,
                                              std::string_view known_ciphertext);
SqlResult<bool> Delete(ConnectionPool::Lease& lease, const Uuid& id);

// Counts one request; without a time the average stays as it is.
SqlResult<std::optional<ModelRow>> Count(ConnectionPool::Lease& lease, const Uuid& id, bool success,
                                         std::optional<std::int64_t> response_time_us);

}  // namespace models

// The rows of "SELECT " AIM_MODEL_COLUMNS " …", beginning at the first column.
ModelRow ReadModelRow(const Rows& rows, int row);

// The columns of a model, in ReadModelRow's order, of the table or alias m.
#define AIM_MICROSECONDS(time) "(extract(epoch FROM " time ") * 1000000)::bigint"
#define AIM_MODEL_COLUMNS \
    "m.id, m.name, m.provider, m.endpoint, m.upstream_model, m.is_active, m.settings, " \
    "m.context_window, m.capabilities, "  \
    "m.input_price_per_million, m.output_price_per_million, translate(encode(m.api_key_ciphertext, 'base64'), E'\\n', ''), " \
    "m.api_key_key_id, m.total_requests, m.successful_requests, m.failed_requests, m.timed_requests, "                     \
    "m.response_time_sum_us, " AIM_MICROSECONDS("m.last_check_at") ", " AIM_MICROSECONDS("m.last_success_at") ", "          \
    AIM_MICROSECONDS("m.created_at") ", " AIM_MICROSECONDS("m.updated_at") ", m.version"
inline constexpr int kModelColumns = 23;

}  // namespace aim::data_api::database
