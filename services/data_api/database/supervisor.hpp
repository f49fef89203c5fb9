#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/telemetry/log.hpp"
#include "services/data_api/database/connection.hpp"
#include "services/data_api/database/database_state.hpp"
#include "services/data_api/database/migrator.hpp"
#include "services/data_api/database/retention.hpp"

namespace aim::data_api::database {

// Keeps the database usable, on a thread and a connection of its own: applies migrations and seeds,
// makes the ledger's partitions ahead of time and deletes what is too old to be counted or kept,
// looks every second whether the server answers, and says so in the DatabaseState. Everything that
// is given outlives it.
class Supervisor {
  public:
    struct Plan {
        std::vector<Migration> migrations;
        std::vector<std::string> seeds;
        // Days that history and outcomes are kept; 0 = for ever.
        std::int64_t retention_days = 0;
        // A migration that can never be applied: called once, from the supervisor's thread, which
        // then ends.
        std::function<void(const std::string& reason)> on_hopeless;
    };

    Supervisor(const ConnectionSettings& settings, DatabaseState& state, telemetry::Logger& logger,
               Plan plan);
    ~Supervisor();  // Stop()
    Supervisor(const Supervisor&) = delete;
    Supervisor& operator=(const Supervisor&) = delete;

    void Start();
    // Ends the thread; waits for a statement under way, a few seconds at most.
    void Stop();

    bool migrations_applied() const { return migrated_.load(); }

  private:
    void Run();
    // One look: false when the database cannot be used now.
    bool Look();
    bool Migrate();
    // Partitions for the days to come, and slices of days gone by. False as with Look().
    bool TendLedger();
    bool Tend(const Statement& statement, std::string_view event, std::string_view message);

    DatabaseState& state_;
    telemetry::Logger& logger_;
    const Plan plan_;
    Connection connection_;
    std::atomic<bool> migrated_{false};
    bool hopeless_ = false;
    MonotonicTime tending_due_{};
    Retention retention_;
    std::string failure_;  // of the last look
    std::thread thread_;
};

}  // namespace aim::data_api::database
