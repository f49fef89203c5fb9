#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include <tl/expected.hpp>

#include "core/base/error_kind.hpp"

namespace aim {

// Why a call failed. `kind` and the numbers are for decisions; `message` is for people and holds no
// secret.
struct Error {
    ErrorKind kind = ErrorKind::kInternal;
    std::string message;
    // The provider's own code ("rate_limit_exceeded") or, for our own refusals, the error_code of
    // contract.md. May be empty.
    std::string code;
    // The field of the caller's input that is wrong; empty when none is.
    std::string field;
    int upstream_status = 0;
    std::optional<std::chrono::milliseconds> retry_after;
};

template <typename T>
using Result = tl::expected<T, Error>;

using Unexpected = tl::unexpected<Error>;

inline Unexpected Fail(ErrorKind kind, std::string message) {
    Error error;
    error.kind = kind;
    error.message = std::move(message);
    return Unexpected(std::move(error));
}

// A refusal of input, with the field that it names.
inline Unexpected FailField(std::string field, std::string message,
                            std::string code = "invalid_request") {
    Error error;
    error.kind = ErrorKind::kInvalidRequest;
    error.message = std::move(message);
    error.code = std::move(code);
    error.field = std::move(field);
    return Unexpected(std::move(error));
}

}  // namespace aim
