#pragma once

#include <chrono>
#include <cstdint>

#include "core/telemetry/log.hpp"
#include "services/data_api/database/connection.hpp"

namespace aim::data_api::database {

// Deletes prompts and outcomes that are older than a number of days: prompts in small batches, the
// oldest first, so that nobody waits for them; outcomes by dropping the tables of whole days (UTC),
// and those with foreign ids in batches. Several processes on one database do not disturb each
// other. Used by one thread.
class Retention {
  public:
    // `days` 0: nothing is ever deleted. The logger outlives it.
    Retention(std::int64_t days, telemetry::Logger& logger) : days_(days), logger_(logger) {}

    // Does some of the work, half a second at most and a statement more, when there may be any.
    // An error only when the connection is lost; whatever else goes wrong is logged, and tried
    // again in a minute.
    SqlResult<void> Tend(Connection& connection, MonotonicTime now);

  private:
    SqlResult<std::int64_t> Run(Connection& connection, const Statement& statement);
    SqlResult<bool> DeleteSome(Connection& connection);
    void Report();

    const std::int64_t days_;
    telemetry::Logger& logger_;
    MonotonicTime due_{};
    std::int64_t prompts_ = 0;  // since the last report
    std::int64_t outcomes_ = 0;
    std::int64_t outcome_days_ = 0;
};

}  // namespace aim::data_api::database
