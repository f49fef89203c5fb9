// Turns a provider's refusal (status, headers, body) into one of the ABI's error kinds. The rules
// are two tables: what the body's code or type says, else the status; and the sentences that
// providers use where they have no code. Nothing here trusts the body to be JSON.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "aim/sdk/emitter.hpp"
#include "aim/sdk/json.hpp"
#include "plugins/common/rate_limit_headers.hpp"

namespace aim::openai {

// A rule of one provider, asked before the common ones: the first that fits decides.
struct ErrorRule {
    int status = 0;             // 0 = any
    std::string_view fragment;  // of code, type or message, in lower case; empty = any
    sdk::ErrorKind kind = sdk::ErrorKind::kUpstreamFailure;
    bool whole_code =
        false;  // the fragment is a whole code or type, and the message does not count
};

using ErrorRules = std::span<const ErrorRule>;

// Owns its texts, which are free of anything that looks like a key.
struct UpstreamError {
    sdk::ErrorKind kind = sdk::ErrorKind::kUpstreamFailure;
    int status = 0;
    std::int64_t retry_after_ms = -1;
    std::string message;
    std::string code;
    std::string field;

    sdk::Failure AsFailure() const { return {kind, message, code, field, status, retry_after_ms}; }
};

// An answer with a status other than 2xx.
UpstreamError ReadErrorAnswer(int status, std::string_view body, const RateLimitHints& hints,
                              const ErrorRules& rules, std::uint64_t now_unix_ms = 0);

// True when a JSON object of a 2xx answer or of a stream tells about a failure.
bool HasError(sdk::JsonValue root);

// That failure. The object may carry a status of its own.
UpstreamError ReadErrorObject(sdk::JsonValue root, const ErrorRules& rules,
                              std::uint64_t now_unix_ms = 0);

}  // namespace aim::openai
