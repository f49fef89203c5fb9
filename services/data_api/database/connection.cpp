#include "services/data_api/database/connection.hpp"

#include <algorithm>
#include <cerrno>

#include <libpq-fe.h>
#include <poll.h>

#include "services/data_api/database/backend_priority.hpp"

namespace aim::data_api::database {
namespace {

// libpq ends its texts with a line end.
std::string Trimmed(const char* text) {
    std::string trimmed = text == nullptr ? "" : text;
    while (!trimmed.empty() && (trimmed.back() == '\n' || trimmed.back() == ' '))
        trimmed.pop_back();
    return trimmed;
}

std::string FieldOf(const PGresult* result, int field) {
    const char* text = PQresultErrorField(result, field);
    return text == nullptr ? "" : text;
}

SqlError ErrorOf(const PGresult* result) {
    SqlError error;
    error.sqlstate = FieldOf(result, PG_DIAG_SQLSTATE);
    // The primary text only: the detail repeats values of the row.
    error.message = FieldOf(result, PG_DIAG_MESSAGE_PRIMARY);
    error.constraint = FieldOf(result, PG_DIAG_CONSTRAINT_NAME);
    error.kind =
        error.sqlstate.empty() ? SqlError::Kind::kUnavailable : ClassifySqlState(error.sqlstate);
    return error;
}

constexpr Statement kRollback{"", "ROLLBACK"};

}  // namespace

SqlError::Kind ClassifySqlState(const std::string& sqlstate) {
    const bool unavailable = sqlstate.starts_with("08") || sqlstate.starts_with("53") ||
                             sqlstate.starts_with("57") || sqlstate.starts_with("58") ||
                             sqlstate == "55P03" || sqlstate == "25006";
    return unavailable ? SqlError::Kind::kUnavailable : SqlError::Kind::kStatement;
}

std::string CheckConninfo(const SecretString& conninfo) {
    const std::string text(conninfo.Reveal());
    char* reason = nullptr;
    PQconninfoOption* options = PQconninfoParse(text.c_str(), &reason);
    if (options != nullptr) {
        PQconninfoFree(options);
        return {};
    }
    PQfreemem(reason);  // it quotes the text, and with it a password
    return "is not a connection string that PostgreSQL's client library understands";
}

Connection::~Connection() { Close(); }

void Connection::Close() {
    if (connection_ != nullptr) PQfinish(connection_);
    connection_ = nullptr;
    prepared_.clear();
}

SqlFailure Connection::Lost() {
    SqlError error;
    error.kind = SqlError::Kind::kUnavailable;
    error.message = connection_ == nullptr ? "no connection" : Trimmed(PQerrorMessage(connection_));
    Close();
    return SqlFailure(std::move(error));
}

SqlFailure Connection::TimedOut() {
    Close();
    SqlError error;
    error.kind = SqlError::Kind::kTimeout;
    error.message = "no answer from PostgreSQL within the deadline";
    return SqlFailure(std::move(error));
}

bool Connection::WaitForSocket(bool for_writing, MonotonicTime deadline) {
    pollfd descriptor{};
    descriptor.fd = PQsocket(connection_);
    descriptor.events = static_cast<short>(for_writing ? POLLIN | POLLOUT : POLLIN);
    for (;;) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline - SystemClock().Now()).count();
        const std::int64_t slice = stopped_ == nullptr ? 60000 : 200;
        const int ready =
            poll(&descriptor, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, slice)));
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) return true;  // the next call of libpq finds out
        if (SystemClock().Now() >= deadline || (stopped_ != nullptr && stopped_->load()))
            return false;
    }
}

bool Connection::ServerHasClosed() {
    if (PQstatus(connection_) != CONNECTION_OK) return true;
    pollfd descriptor{};
    descriptor.fd = PQsocket(connection_);
    descriptor.events = POLLIN;
    // Between statements a server has something to say only when it goes away (its farewell, then
    // the end), or, rarely, when a setting was changed; a new connection is right for either.
    return poll(&descriptor, 1, 0) != 0;
}

SqlResult<void> Connection::EnsureOpen(MonotonicTime deadline) {
    if (connection_ != nullptr && !ServerHasClosed()) {
        if (priority_is_due_) LowerPriority();
        return {};
    }
    Close();
    return Open(std::min(deadline, SystemClock().Now() + settings_.connect_timeout));
}

SqlResult<void> Connection::Open(MonotonicTime deadline) {
    const std::string conninfo(settings_.conninfo.Reveal());
    const char* const keywords[] = {"dbname", "client_encoding", "fallback_application_name",
                                    nullptr};
    const char* const values[] = {conninfo.c_str(), "UTF8", "aimanager-data-api", nullptr};
    connection_ = PQconnectStartParams(keywords, values, 1);
    if (connection_ == nullptr || PQstatus(connection_) == CONNECTION_BAD) return Lost();
    for (auto wanted = PGRES_POLLING_WRITING;;) {
        if (!WaitForSocket(wanted == PGRES_POLLING_WRITING, deadline)) return TimedOut();
        wanted = PQconnectPoll(connection_);
        if (wanted == PGRES_POLLING_OK) break;
        if (wanted == PGRES_POLLING_FAILED) return Lost();
    }
    PQsetNoticeProcessor(
        connection_, [](void*, const char*) {}, nullptr);
    if (PQsetnonblocking(connection_, 1) != 0) return Lost();
    const std::string timeout = std::to_string(settings_.statement_timeout.count());
    auto set =
        RunScript("SET statement_timeout = " + timeout + "; SET lock_timeout = " + timeout +
                      "; SET idle_in_transaction_session_timeout = '30s'; SET TimeZone = 'UTC'",
                  deadline);
    if (!set) return set;
    if (PQenterPipelineMode(connection_) != 1) return Lost();
    LowerPriority();
    return {};
}

void Connection::LowerPriority() {
    priority_is_due_ = settings_.backend_nice > 0 &&
                       LowerBackendPriority(PQsocket(connection_), PQbackendPID(connection_),
                                            settings_.backend_nice) == Lowered::kLater;
}

SqlResult<void> Connection::AwaitResult(MonotonicTime deadline) {
    for (;;) {
        const int unsent = PQflush(connection_);
        if (unsent < 0) return Lost();
        if (unsent == 0 && PQisBusy(connection_) == 0) return {};
        if (!WaitForSocket(unsent != 0, deadline)) return TimedOut();
        // Also while writing: a server that is waiting for us to read would never take the rest.
        if (PQconsumeInput(connection_) == 0) return Lost();
    }
}

SqlResult<void> Connection::Queue(const Command& command, std::vector<const Statement*>& prepares) {
    const Statement& statement = *command.statement;
    std::vector<const char*> values;
    values.reserve(command.parameters.size());
    for (const Parameter& parameter : command.parameters)
        values.push_back(parameter ? parameter->c_str() : nullptr);
    const int count = static_cast<int>(values.size());
    if (*statement.name == '\0') {
        if (PQsendQueryParams(connection_, statement.text, count, nullptr, values.data(), nullptr,
                              nullptr, 0) != 1)
            return Lost();
        prepares.push_back(nullptr);
        return {};
    }
    const bool is_queued =
        std::find(prepares.begin(), prepares.end(), &statement) != prepares.end();
    if (!prepared_.contains(&statement) && !is_queued) {
        if (PQsendPrepare(connection_, statement.name, statement.text, 0, nullptr) != 1)
            return Lost();
        prepares.push_back(&statement);
    }
    if (PQsendQueryPrepared(connection_, statement.name, count, values.data(), nullptr, nullptr,
                            0) != 1)
        return Lost();
    prepares.push_back(nullptr);
    return {};
}

SqlResult<std::vector<Rows>> Connection::Run(std::span<const Command> commands,
                                             MonotonicTime deadline) {
    if (connection_ == nullptr) return Lost();
    // What each expected result belongs to: the statement that is being prepared, or null for a
    // command itself.
    std::vector<const Statement*> expected;
    for (const Command& command : commands) {
        if (auto queued = Queue(command, expected); !queued) return SqlFailure(queued.error());
    }
    if (PQpipelineSync(connection_) != 1) return Lost();

    std::vector<Rows> rows;
    std::optional<SqlError> error;
    std::size_t position = 0;
    bool ended = false;  // the null that ends a command's results was the last thing seen
    for (;;) {
        if (auto arrived = AwaitResult(deadline); !arrived) return SqlFailure(arrived.error());
        PGresult* result = PQgetResult(connection_);
        if (result == nullptr) {
            if (PQstatus(connection_) != CONNECTION_OK || ended) return Lost();
            ended = true;
            continue;
        }
        ended = false;
        Rows owned(result);
        const ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_PIPELINE_SYNC) break;
        const Statement* const preparing =
            position < expected.size() ? expected[position] : nullptr;
        ++position;
        if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
            if (preparing != nullptr) {
                prepared_.insert(preparing);
            } else {
                rows.push_back(std::move(owned));
            }
        } else if (status != PGRES_PIPELINE_ABORTED && !error) {
            error = ErrorOf(result);
        }
    }
    if (error) {
        if (PQtransactionStatus(connection_) != PQTRANS_IDLE) {
            if (commands.front().statement == &kRollback) {
                Close();
            } else {
                Rollback(deadline);
            }
        }
        return SqlFailure(std::move(*error));
    }
    return rows;
}

SqlResult<Rows> Connection::RunOne(const Statement& statement, Parameters parameters,
                                   MonotonicTime deadline) {
    const Command command{&statement, std::move(parameters)};
    auto rows = Run(std::span(&command, 1), deadline);
    if (!rows) return SqlFailure(std::move(rows.error()));
    return std::move(rows->front());
}

void Connection::Rollback(MonotonicTime deadline) {
    if (connection_ == nullptr || PQtransactionStatus(connection_) == PQTRANS_IDLE) return;
    const Command command{&kRollback};
    const auto rolled_back = Run(std::span(&command, 1), deadline);
    if (!rolled_back) Close();
}

SqlResult<void> Connection::RunScript(std::string_view text, MonotonicTime deadline) {
    if (connection_ == nullptr) return Lost();
    const bool pipelined = PQpipelineStatus(connection_) != PQ_PIPELINE_OFF;
    if (pipelined && PQexitPipelineMode(connection_) != 1) return Lost();
    if (PQsendQuery(connection_, std::string(text).c_str()) != 1) return Lost();
    std::optional<SqlError> error;
    for (;;) {
        if (auto arrived = AwaitResult(deadline); !arrived) return arrived;
        PGresult* result = PQgetResult(connection_);
        if (result == nullptr) break;
        const Rows owned(result);
        const ExecStatusType status = PQresultStatus(result);
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && !error)
            error = ErrorOf(result);
    }
    if (PQstatus(connection_) != CONNECTION_OK) return Lost();
    if (pipelined && PQenterPipelineMode(connection_) != 1) return Lost();
    if (error) return SqlFailure(std::move(*error));
    return {};
}

}  // namespace aim::data_api::database
