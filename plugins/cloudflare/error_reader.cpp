#include "plugins/cloudflare/error_reader.hpp"

#include <algorithm>
#include <array>

namespace aim::cloudflare {
namespace {

using openai::UpstreamError;
using sdk::ErrorKind;
using sdk::JsonValue;

constexpr std::int64_t kDayMs = 24LL * 60 * 60 * 1000;
constexpr std::string_view kDailyAllocation = "3036";

struct Code {
    std::string_view code;
    ErrorKind kind;
};
constexpr std::array<Code, 20> kCodes = {{
    {"3003", ErrorKind::kInvalidRequest},   // headers or body incomplete
    {"3006", ErrorKind::kContextTooLong},   // request too large
    {"3007", ErrorKind::kUpstreamTimeout},  // timeout
    {"3008", ErrorKind::kUpstreamTimeout},  // aborted
    {"3023", ErrorKind::kForbidden},        // account blocked
    {kDailyAllocation, ErrorKind::kQuotaExhausted},
    {"3039", ErrorKind::kInvalidRequest},  // finetune files missing
    {"3040", ErrorKind::kOverloaded},      // out of capacity
    {"3041", ErrorKind::kForbidden},       // private model
    {"3042", ErrorKind::kModelNotFound},
    {"5004", ErrorKind::kInvalidRequest},  // invalid base64
    {"5005", ErrorKind::kInvalidRequest},  // LoRA unsupported
    {"5007", ErrorKind::kModelNotFound},
    {"5016", ErrorKind::kForbidden},  // terms not accepted
    {"5018", ErrorKind::kForbidden},  // private model
    {"5019", ErrorKind::kInvalidRequest},
    {"7000", ErrorKind::kForbidden},  // no route: a wrong account
    {"7003", ErrorKind::kForbidden},
    {"10000", ErrorKind::kUnauthenticated},
    {"10001", ErrorKind::kUnauthenticated},
}};

void ApplyCode(UpstreamError& error, std::uint64_t now_unix_ms) {
    const auto known = std::find_if(kCodes.begin(), kCodes.end(),
                                    [&](const Code& code) { return code.code == error.code; });
    if (known == kCodes.end()) {
        return;
    }
    error.kind = known->kind;
    if (error.code == kDailyAllocation && error.retry_after_ms < 0) {  // until 00:00 UTC
        error.retry_after_ms = kDayMs - static_cast<std::int64_t>(now_unix_ms) % kDayMs;
    }
}

}  // namespace

UpstreamError ReadErrorAnswer(int status, std::string_view body,
                              const openai::RateLimitHints& hints, std::uint64_t now_unix_ms) {
    UpstreamError error = openai::ReadErrorAnswer(status, body, hints, {});
    ApplyCode(error, now_unix_ms);
    return error;
}

bool HasError(JsonValue root) {
    const JsonValue errors = root["errors"];
    return (errors.IsArray() && !errors.Empty()) ||
           root["success"].Type() == sdk::JsonType::kFalse || openai::HasError(root);
}

UpstreamError ReadErrorObject(JsonValue root, std::uint64_t now_unix_ms) {
    UpstreamError error = openai::ReadErrorObject(root, {});
    ApplyCode(error, now_unix_ms);
    return error;
}

}  // namespace aim::cloudflare
