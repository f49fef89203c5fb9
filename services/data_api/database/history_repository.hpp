#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "services/data_api/database/connection_pool.hpp"
#include "services/data_api/records/history_record.hpp"

namespace aim::data_api::database::history {

struct Query {
    std::optional<std::string> user_id;
    std::optional<std::string> key_id;
    std::optional<Uuid> model_id;
    std::optional<std::string> status;
    std::optional<HistoryCursor> after;
    int limit = 50;
};

// Newest first, at most query.limit rows.
SqlResult<std::vector<HistoryRow>> List(ConnectionPool::Lease& lease, const Query& query);

SqlResult<std::optional<HistoryRow>> Find(ConnectionPool::Lease& lease, const Uuid& id);

// Inserts rows whose ids are new, in the order of their ids; the result's affected() counts them. A
// row that names a model by its id only gets the model's name.
Command InsertCommand(std::span<const HistoryRow> rows);

}  // namespace aim::data_api::database::history
