#include "services/data_api/database/connection_pool.hpp"

#include <utility>

namespace aim::data_api::database {

ConnectionPool::ConnectionPool(const ConnectionSettings& settings, std::size_t size,
                               DatabaseState& state)
    : settings_(settings), state_(state) {
    for (std::size_t i = 0; i < size; ++i) idle_.push_back(std::make_unique<Connection>(settings_));
}

ConnectionPool::Lease::~Lease() {
    if (!connection_) return;
    connection_->Rollback(deadline_);
    const std::lock_guard lock(pool_->mutex_);
    pool_->idle_.push_back(std::move(connection_));
}

SqlResult<std::vector<Rows>> ConnectionPool::Lease::Run(std::span<const Command> commands) {
    auto rows = connection_->Run(commands, deadline_);
    if (!rows) pool_->Note(rows.error());
    return rows;
}

SqlResult<Rows> ConnectionPool::Lease::RunOne(const Statement& statement, Parameters parameters) {
    auto rows = connection_->RunOne(statement, std::move(parameters), deadline_);
    if (!rows) pool_->Note(rows.error());
    return rows;
}

// A lost connection may be just that one; no answer at all, or no new connection, is about the
// server.
void ConnectionPool::Note(const SqlError& error) {
    if (error.kind == SqlError::Kind::kTimeout) state_.MarkDown(error.message);
}

SqlResult<ConnectionPool::Lease> ConnectionPool::Acquire(MonotonicTime deadline) {
    if (!state_.is_up()) {
        return SqlFailure(
            SqlError{.kind = SqlError::Kind::kUnavailable, .message = state_.reason()});
    }
    std::unique_ptr<Connection> connection;
    {
        const std::lock_guard lock(mutex_);
        if (!idle_.empty()) {
            connection = std::move(idle_.back());
            idle_.pop_back();
        }
    }
    if (!connection) connection = std::make_unique<Connection>(settings_);
    Lease lease(*this, std::move(connection));
    lease.deadline_ = deadline;
    if (const auto open = lease.connection_->EnsureOpen(deadline); !open) {
        state_.MarkDown(open.error().message);
        return SqlFailure(open.error());
    }
    return lease;
}

}  // namespace aim::data_api::database
