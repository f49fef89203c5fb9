#pragma once

#include <cstdint>
#include <vector>

#include "core/base/random.hpp"
#include "services/data_api/database/connection_pool.hpp"
#include "services/data_api/records/ledger_record.hpp"
#include "services/data_api/records/model_record.hpp"

namespace aim::data_api::database::ledger {

struct Applied {
    std::vector<ModelRow>
        models;                // every model that the batch names and that exists, after the batch
    std::int64_t applied = 0;  // records that were new
    std::int64_t duplicates = 0;  // records whose id was there, or is too old to tell
    std::vector<Rejected> rejected;
};

// Applies a batch: all of it in one transaction, models locked in the order of their ids, records
// inserted in the order of theirs, and counters raised by exactly what was inserted. So it may be
// sent any number of times, by any number of senders at once.
//   - A deadlock or a serialisation failure is tried again.
//   - An outcome of a model that does not exist is rejected; a history record of one is kept, with
//   the name it came with.
//   - When the database refuses a record that had passed our checks, the batch is cut in halves
//   until that record stands alone and is
//     rejected; each part is then a transaction of its own.
SqlResult<Applied> Apply(ConnectionPool::Lease& lease, const LedgerBatch& batch, Random& random);

}  // namespace aim::data_api::database::ledger
