#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/uuid.hpp"
#include "services/data_api/database/connection_pool.hpp"
#include "services/data_api/records/key_record.hpp"

namespace aim::data_api::database::keys {

// The statements about api_keys. Each function is one request's use of a lease; stateless, any
// thread. Secrets come here as hashes only.

// Fails with a unique violation of api_keys_name_key or api_keys_hash_key.
SqlResult<KeyRow> Insert(ConnectionPool::Lease& lease, const Uuid& id, const NewKey& key);

// By name.
SqlResult<std::vector<KeyRow>> List(ConnectionPool::Lease& lease, bool with_revoked);

// Empty when there is no such row, here and below.
SqlResult<std::optional<KeyRow>> Find(ConnectionPool::Lease& lease, const Uuid& id);

// A key that is revoked already stays as it is.
SqlResult<std::optional<KeyRow>> Revoke(ConnectionPool::Lease& lease, const Uuid& id);

// Empty as well for a revoked key and for a secret that is the key's own already.
SqlResult<std::optional<KeyRow>> Rotate(ConnectionPool::Lease& lease, const Uuid& id,
                                        const KeyRotation& rotation);

// Of the keys that are neither revoked nor over, and of their earlier secrets.
struct Hashes {
    std::string etag;
    std::vector<KeyHashRow> rows;
};
// Changes whenever Hashes' rows do, but for time that passes.
SqlResult<std::string> ReadEtag(ConnectionPool::Lease& lease);
SqlResult<Hashes> ReadHashes(ConnectionPool::Lease& lease);

// Never goes back in time. Returns how many keys are known.
SqlResult<std::int64_t> NoteUses(ConnectionPool::Lease& lease, std::span<const KeyUseRecord> uses);

}  // namespace aim::data_api::database::keys
