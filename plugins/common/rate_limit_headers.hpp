// When a provider says that it may be asked again, in every form that providers use: milliseconds,
// seconds, Go durations ("2m59.56s"), RFC 3339 and HTTP dates, epochs, and sentences.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "aim/sdk/views.hpp"

namespace aim::openai {

// A longer hint is cut to this: nobody plans further ahead than a daily quota.
inline constexpr std::int64_t kMaxRetryAfterMs = 24LL * 60 * 60 * 1000;

// One value of a header or field, as milliseconds from now. A bare number is seconds; above 10^9 it
// is an epoch in seconds, above 10^11 in milliseconds. Nullopt for what is none of the forms,
// negative or not finite.
std::optional<std::int64_t> ParseRetryDelay(std::string_view text, std::uint64_t now_unix_ms);

// "… Please try again in 1m2.5s …", "… in 7 seconds …".
std::optional<std::int64_t> RetryDelayInSentence(std::string_view sentence);

struct RateLimitHints {
    std::optional<std::int64_t> retry_after_ms;  // from retry-after-ms or retry-after
    std::optional<std::int64_t> reset_ms;  // of the limit that is used up (…ratelimit…reset…)
};

// Reads an answer's head; copies nothing out of it.
RateLimitHints ReadRateLimitHeaders(const sdk::HttpHead& head, std::uint64_t now_unix_ms);

}  // namespace aim::openai
