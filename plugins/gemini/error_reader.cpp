#include "plugins/gemini/error_reader.hpp"

#include <array>
#include <ctime>
#include <string>

namespace aim::gemini {
namespace {

using openai::ErrorRule;
using openai::UpstreamError;
using sdk::ErrorKind;
using sdk::JsonValue;

constexpr std::array<ErrorRule, 5> kRuleList = {{
    // The free tier is not offered in the caller's country, or billing is not set up.
    {400, "failed_precondition", ErrorKind::kForbidden},
    {403, "leaked", ErrorKind::kUnauthenticated},
    {403, "unregistered callers", ErrorKind::kUnauthenticated},
    {402, "", ErrorKind::kQuotaExhausted},
    // Says "You exceeded your current quota" for a minute's limit too; a day's is told apart below.
    {429, "", ErrorKind::kRateLimited},
}};
constexpr openai::ErrorRules kRules = {kRuleList.data(), kRuleList.size()};

// A quota whose id says so is a day's: the retryDelay beside it is a minute's and misleads.
bool IsDailyQuota(JsonValue root) {
    if (root.IsArray() && !root.Empty()) {
        root = *root.begin();
    }
    for (const JsonValue detail : root["error"]["details"]) {
        for (const JsonValue violation : detail["violations"]) {
            if (violation["quotaId"].Text().find("PerDay") != std::string_view::npos) {
                return true;
            }
        }
    }
    return false;
}

void ApplyDailyQuota(UpstreamError& error, JsonValue root, std::uint64_t now_unix_ms) {
    if (error.kind == ErrorKind::kRateLimited && IsDailyQuota(root)) {
        error.kind = ErrorKind::kQuotaExhausted;
        error.retry_after_ms = MsUntilPacificMidnight(now_unix_ms);
    }
}

constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kDay = 24 * kHour;

// Daylight saving from the second Sunday of March to the first of November, from 2:00 to 2:00.
bool IsDaylightSaving(const std::tm& standard) {
    const int month = standard.tm_mon + 1;
    if (month != 3 && month != 11) {
        return month > 3 && month < 11;
    }
    const int first_sunday = 1 + (7 - (standard.tm_wday - (standard.tm_mday - 1) % 7 + 7) % 7) % 7;
    const int change_day = month == 3 ? first_sunday + 7 : first_sunday;
    const int change_hour = month == 3 ? 2 : 1;  // in standard time
    const bool passed = standard.tm_mday > change_day ||
                        (standard.tm_mday == change_day && standard.tm_hour >= change_hour);
    return month == 3 ? passed : !passed;
}

}  // namespace

UpstreamError ReadErrorAnswer(int status, std::string_view body,
                              const openai::RateLimitHints& hints, std::uint64_t now_unix_ms) {
    UpstreamError error = openai::ReadErrorAnswer(status, body, hints, kRules);
    sdk::JsonDocument document;
    if (document.Parse(body)) {
        ApplyDailyQuota(error, document.Root(), now_unix_ms);
    }
    return error;
}

UpstreamError ReadErrorObject(JsonValue root, std::uint64_t now_unix_ms) {
    UpstreamError error = openai::ReadErrorObject(root, kRules);
    ApplyDailyQuota(error, root, now_unix_ms);
    return error;
}

bool MissesSignature(const UpstreamError& error) {
    return error.kind == ErrorKind::kInvalidRequest &&
           (error.message.find("thought_signature") != std::string::npos ||
            error.message.find("thoughtSignature") != std::string::npos ||
            error.message.find("thought signature") != std::string::npos);
}

std::int64_t MsUntilPacificMidnight(std::uint64_t now_unix_ms) {
    const auto now = static_cast<std::int64_t>(now_unix_ms / 1000);
    const std::time_t standard = now - 8 * kHour;
    std::tm civil{};
    gmtime_r(&standard, &civil);
    const std::int64_t local = standard + (IsDaylightSaving(civil) ? kHour : 0);
    return (kDay - local % kDay) * 1000;
}

}  // namespace aim::gemini
