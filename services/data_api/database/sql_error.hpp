#pragma once

#include <string>

#include "core/base/result.hpp"

namespace aim::data_api::database {

// Why a statement has no result. The text is PostgreSQL's or libpq's: for logs, never for callers
// of the API.
struct SqlError {
    enum class Kind {
        kUnavailable,  // no connection, or it was lost, or the server refuses work: try again later
        kTimeout,      // our own deadline ran out with no word from the server
        kStatement,    // the server's answer to this statement
    };

    Kind kind = Kind::kStatement;
    std::string sqlstate = {};  // five characters, empty when the server said nothing
    std::string message = {};
    std::string constraint = {};  // the constraint that was violated

    bool IsUnavailable() const { return kind != Kind::kStatement; }
    // Deadlock victim or serialisation failure: the same transaction may well succeed when it is
    // run again.
    bool IsTransient() const { return sqlstate == "40P01" || sqlstate == "40001"; }
    // The data itself was refused (class 22: bad value, 23: constraint, 54: too large): repeating
    // is no use.
    bool IsAboutData() const {
        return kind == Kind::kStatement &&
               (sqlstate.starts_with("22") || sqlstate.starts_with("23") ||
                sqlstate.starts_with("54"));
    }
    bool IsUniqueViolation() const { return sqlstate == "23505"; }
};

template <typename T>
using SqlResult = tl::expected<T, SqlError>;

using SqlFailure = tl::unexpected<SqlError>;

// What the server's code means for us: connection trouble, shutdown, no resources, a statement that
// the server itself stopped and a server that turned read-only are "unavailable", everything else
// is the statement's own fault.
SqlError::Kind ClassifySqlState(const std::string& sqlstate);

}  // namespace aim::data_api::database
