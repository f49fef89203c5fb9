#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "core/base/clock.hpp"
#include "core/base/secret_string.hpp"
#include "services/data_api/database/rows.hpp"
#include "services/data_api/database/sql_error.hpp"

struct pg_conn;

namespace aim::data_api::database {

// Where the database is, as libpq reads it (a URL or key=value pairs, with the password: hence a
// secret).
struct ConnectionSettings {
    SecretString conninfo;
    // The server gives up on a statement or a lock by itself after this time, so that our own
    // deadline, which costs the connection, means a server that does not answer at all.
    std::chrono::milliseconds statement_timeout{4500};
    std::chrono::milliseconds connect_timeout{2000};
    // The priority that the server's process of a connection gets when it is on this machine
    // (backend_priority.hpp); 0 leaves it as it is.
    int backend_nice = 0;
};

// Empty when libpq accepts the text; else what is wrong with it, without the text.
std::string CheckConninfo(const SecretString& conninfo);

// One SQL statement of this program. Static storage; the address is its identity, the name that of
// the prepared statement.
struct Statement {
    const char* name;
    const char* text;
};

using Parameter = std::optional<std::string>;  // text form; empty = NULL
using Parameters = std::vector<Parameter>;

struct Command {
    const Statement* statement;
    Parameters parameters = {};
};

// One connection to PostgreSQL over non-blocking libpq. Every call waits with poll() up to a
// deadline of the caller's, since a server that was stopped or lost hangs libpq's own waiting for
// ever. Used by one thread at a time.
class Connection {
  public:
    explicit Connection(const ConnectionSettings& settings) : settings_(settings) {}
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Makes sure that there is a connection: opens one, or replaces one that the server has closed
    // in the meantime. Costs one poll() when all is well.
    SqlResult<void> EnsureOpen(MonotonicTime deadline);

    // Runs the commands in one pipeline: all are sent at once, and all succeed or none has an
    // effect, unless BEGIN and COMMIT among them say otherwise. Statements are prepared on first
    // use. On an error an open transaction is rolled back.
    SqlResult<std::vector<Rows>> Run(std::span<const Command> commands, MonotonicTime deadline);
    SqlResult<Rows> RunOne(const Statement& statement, Parameters parameters,
                           MonotonicTime deadline);

    // A text of several statements in one transaction (a migration).
    SqlResult<void> RunScript(std::string_view text, MonotonicTime deadline);

    // Ends a transaction that commands of an earlier Run() began. The connection is closed when
    // that fails.
    void Rollback(MonotonicTime deadline);

    // From then on every wait ends, as if its deadline were over, soon after `stopped` has become
    // true (it outlives this object).
    void StopWhen(const std::atomic<bool>& stopped) { stopped_ = &stopped; }

    bool is_open() const { return connection_ != nullptr; }
    void Close();

  private:
    SqlResult<void> Open(MonotonicTime deadline);
    SqlResult<void> Queue(const Command& command, std::vector<const Statement*>& prepares);
    SqlResult<void> AwaitResult(MonotonicTime deadline);
    bool WaitForSocket(bool for_writing, MonotonicTime deadline);
    bool ServerHasClosed();
    void LowerPriority();
    SqlFailure Lost();
    SqlFailure TimedOut();

    const ConnectionSettings& settings_;
    pg_conn* connection_ = nullptr;
    bool priority_is_due_ = false;  // the backend's is still to be lowered
    const std::atomic<bool>* stopped_ = nullptr;
    std::unordered_set<const Statement*> prepared_;
};

}  // namespace aim::data_api::database
