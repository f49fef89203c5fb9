#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.hpp"
#include "core/base/result.hpp"
#include "core/http/request.hpp"
#include "core/http/response.hpp"
#include "core/http/router.hpp"

namespace aim::http {

// One row of contract.md's table of errors.
struct ErrorCode {
    std::string_view code;
    int status;
    std::string_view openai_type;
    bool retry_after;  // answers carry Retry-After, one second when nobody knows better
};

// An unknown code is `internal`: a typing error of ours must not become a 200.
const ErrorCode& FindErrorCode(std::string_view code);

// The code for an error that has none of its own in the table.
std::string_view CodeForKind(ErrorKind kind);

// What an error answer says.
struct ErrorAnswer {
    std::string_view code;  // a code of the table; decides the status
    std::string_view message;
    std::string_view field;         // context.field, or OpenAI's param
    std::string_view context_json;  // native only: an object in place of the one made from `field`
    std::optional<std::chrono::milliseconds> retry_after;
    bool should_retry = true;  // false: "X-Should-Retry: false", for we have retried already
};

// Writes error answers in the caller's protocol. Thread-safe; holds the clock, which outlives it.
class ErrorWriter {
  public:
    explicit ErrorWriter(const Clock& clock = SystemClock()) : clock_(clock) {}

    Response Write(Protocol protocol, std::string_view request_id, const ErrorAnswer& answer) const;

    // `error.code` when it is in the table, else the code for its kind.
    Response Write(Protocol protocol, std::string_view request_id, const Error& error) const;

    // 404 not_found, or 405 method_not_allowed with Allow when `allow` is not empty.
    Response NoRoute(const Request& request, std::string_view allow) const;

  private:
    const Clock& clock_;
};

// The protocol of a request's errors: the route's, and for an unknown path OpenAI's under /v1/.
Protocol ProtocolFor(const Request& request, const Route* route);

}  // namespace aim::http
