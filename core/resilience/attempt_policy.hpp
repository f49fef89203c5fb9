#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "core/base/error_kind.hpp"

namespace aim::resilience {

enum class ModelAction {
    kNone,
    kPark,          // Cooldown::Park
    kCoolDown,      // Cooldown::CoolDown
    kPluginStrike,  // the plugin misbehaved; the host quarantines it after 5
};

enum class Fallback {
    kNo,            // this is the answer
    kYes,           // the next candidate
    kLargerWindow,  // only to a model with a larger context window
};

// What follows from one way in which an attempt can fail.
struct FailureRule {
    ErrorKind kind;
    bool counts_for_rating;
    bool breaker_counts;
    ModelAction action;
    Fallback fallback;
    // The answer when this failure is the last word (nothing to fall back to). content_filtered is
    // no error for the caller: 200 with finish reason content_filter.
    int http_status;
    std::string_view error_code;   // native, contract.md "Errors"
    std::string_view openai_type;  // "type" on the OpenAI paths
};

// The table of design section 6, in the order of ErrorKind.
inline constexpr std::array<FailureRule, 15> kFailurePolicy = {{
    // clang-format off
    // kind                          rating breaker action                      then                      status code                  OpenAI type
    {ErrorKind::kInvalidRequest,     false, false, ModelAction::kNone,         Fallback::kNo,            400, "invalid_request",    "invalid_request_error"},
    {ErrorKind::kUnauthenticated,    true,  false, ModelAction::kPark,         Fallback::kYes,           502, "all_models_failed",  "server_error"},
    {ErrorKind::kForbidden,          true,  false, ModelAction::kPark,         Fallback::kYes,           502, "all_models_failed",  "server_error"},
    {ErrorKind::kQuotaExhausted,     true,  false, ModelAction::kPark,         Fallback::kYes,           502, "all_models_failed",  "server_error"},
    {ErrorKind::kModelNotFound,      true,  false, ModelAction::kPark,         Fallback::kYes,           502, "all_models_failed",  "server_error"},
    {ErrorKind::kRateLimited,        true,  false, ModelAction::kCoolDown,     Fallback::kYes,           429, "rate_limited",       "rate_limit_error"},
    {ErrorKind::kContextTooLong,     false, false, ModelAction::kNone,         Fallback::kLargerWindow,  400, "context_too_long",   "invalid_request_error"},
    {ErrorKind::kContentFiltered,    false, false, ModelAction::kNone,         Fallback::kNo,            200, "content_filter",     ""},
    {ErrorKind::kOverloaded,         true,  true,  ModelAction::kNone,         Fallback::kYes,           502, "all_models_failed",  "server_error"},
    {ErrorKind::kUpstreamFailure,    true,  true,  ModelAction::kNone,         Fallback::kYes,           502, "all_models_failed",  "server_error"},
    {ErrorKind::kUpstreamTimeout,    true,  true,  ModelAction::kNone,         Fallback::kYes,           502, "all_models_failed",  "server_error"},
    {ErrorKind::kProtocolError,      true,  true,  ModelAction::kNone,         Fallback::kYes,           502, "all_models_failed",  "server_error"},
    {ErrorKind::kUnsupported,        false, false, ModelAction::kNone,         Fallback::kYes,           400, "unsupported",        "invalid_request_error"},
    {ErrorKind::kCancelled,          false, false, ModelAction::kNone,         Fallback::kNo,            499, "cancelled",          ""},
    {ErrorKind::kInternal,           true,  false, ModelAction::kPluginStrike, Fallback::kYes,           502, "all_models_failed",  "server_error"},
    // clang-format on
}};

// The rule of a kind; a value outside the enumeration is treated as kInternal.
constexpr const FailureRule& RuleFor(ErrorKind kind) {
    const auto position = static_cast<std::size_t>(static_cast<int>(kind) - 1);
    return position < kFailurePolicy.size() ? kFailurePolicy[position] : kFailurePolicy.back();
}

namespace internal {
constexpr bool PolicyIsInOrder() {
    for (std::size_t i = 0; i < kFailurePolicy.size(); ++i) {
        if (static_cast<std::size_t>(kFailurePolicy[i].kind) != i + 1) return false;
    }
    return true;
}
static_assert(PolicyIsInOrder(), "kFailurePolicy must list every ErrorKind in order");
}  // namespace internal

}  // namespace aim::resilience
