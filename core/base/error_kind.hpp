#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace aim {

// What went wrong, in the words that decisions are made in (design section 4 and 6). The numbers
// are those of the plugin ABI (aim/abi/status.h) and never change.
enum class ErrorKind : std::int32_t {
    kInvalidRequest = 1,
    kUnauthenticated = 2,
    kForbidden = 3,
    kQuotaExhausted = 4,
    kModelNotFound = 5,
    kRateLimited = 6,
    kContextTooLong = 7,
    kContentFiltered = 8,
    kOverloaded = 9,
    kUpstreamFailure = 10,
    kUpstreamTimeout = 11,
    kProtocolError = 12,
    kUnsupported = 13,
    kCancelled = 14,
    kInternal = 15,
};

// "rate_limited" and so on, as written in answers, history and metrics. Static storage.
std::string_view ErrorKindName(ErrorKind kind);

// The inverse; nullopt for anything else.
std::optional<ErrorKind> ParseErrorKind(std::string_view name);

// Any integer a plugin gave: unknown ones become kInternal.
ErrorKind ErrorKindFromAbi(std::int32_t value);

}  // namespace aim
