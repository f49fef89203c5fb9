#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "services/data_api/database/connection.hpp"
#include "services/data_api/database/database_state.hpp"

namespace aim::data_api::database {

// As many connections as there are handler threads, so that nobody ever waits for one. They are
// opened when first used, and again after they were lost. Thread-safe; the state and the settings
// outlive it.
class ConnectionPool {
  public:
    // A connection for one request; goes back when destroyed. An unfinished transaction is rolled
    // back by closing.
    class Lease {
      public:
        Lease(ConnectionPool& pool, std::unique_ptr<Connection> connection)
            : pool_(&pool), connection_(std::move(connection)) {}
        ~Lease();
        Lease(Lease&&) noexcept = default;
        Lease& operator=(Lease&&) = delete;

        SqlResult<std::vector<Rows>> Run(std::span<const Command> commands);
        SqlResult<Rows> RunOne(const Statement& statement, Parameters parameters);
        void Rollback() { connection_->Rollback(deadline_); }
        MonotonicTime deadline() const { return deadline_; }

      private:
        friend class ConnectionPool;
        ConnectionPool* pool_;
        std::unique_ptr<Connection> connection_;
        MonotonicTime deadline_{};
    };

    ConnectionPool(const ConnectionSettings& settings, std::size_t size, DatabaseState& state);

    // Fails at once while the database is known to be down. Everything that is done with the lease
    // ends by the deadline.
    SqlResult<Lease> Acquire(MonotonicTime deadline);

  private:
    void Note(const SqlError& error);

    const ConnectionSettings& settings_;
    DatabaseState& state_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<Connection>> idle_;
};

}  // namespace aim::data_api::database
