#include "core/base/error_kind.hpp"

#include <array>

namespace aim {
namespace {

constexpr std::array<std::string_view, 16> kNames = {"",
                                                     "invalid_request",
                                                     "unauthenticated",
                                                     "forbidden",
                                                     "quota_exhausted",
                                                     "model_not_found",
                                                     "rate_limited",
                                                     "context_too_long",
                                                     "content_filtered",
                                                     "overloaded",
                                                     "upstream_failure",
                                                     "upstream_timeout",
                                                     "protocol_error",
                                                     "unsupported",
                                                     "cancelled",
                                                     "internal"};

}  // namespace

std::string_view ErrorKindName(ErrorKind kind) { return kNames.at(static_cast<std::size_t>(kind)); }

std::optional<ErrorKind> ParseErrorKind(std::string_view name) {
    for (std::size_t i = 1; i < kNames.size(); ++i) {
        if (kNames[i] == name) return static_cast<ErrorKind>(i);
    }
    return std::nullopt;
}

ErrorKind ErrorKindFromAbi(std::int32_t value) {
    if (value < 1 || value >= static_cast<std::int32_t>(kNames.size())) return ErrorKind::kInternal;
    return static_cast<ErrorKind>(value);
}

}  // namespace aim
