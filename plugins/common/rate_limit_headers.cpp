#include "plugins/common/rate_limit_headers.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>

#include "plugins/common/ascii.hpp"

namespace aim::openai {
namespace {

constexpr double kEpochMillisecondsFrom = 1e11;
constexpr double kEpochSecondsFrom = 1e9;

std::string_view Trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
        text.remove_prefix(1);
    }
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
        text.remove_suffix(1);
    }
    return text;
}

std::optional<std::int64_t> Clamp(double milliseconds) {
    if (!std::isfinite(milliseconds) || milliseconds < 0) {
        return std::nullopt;
    }
    // Rounded up: asking a moment too early costs another refusal.
    return static_cast<std::int64_t>(
        std::ceil(std::min(milliseconds, static_cast<double>(kMaxRetryAfterMs))));
}

// A plain decimal at the front of `text`, which loses it. No sign, exponent, hex or "inf".
std::optional<double> TakeDecimal(std::string_view& text) {
    std::size_t size = 0;
    while (size < text.size() &&
           ((text[size] >= '0' && text[size] <= '9') || (text[size] == '.' && size > 0))) {
        ++size;
    }
    double value = 0;
    const auto result =
        std::from_chars(text.data(), text.data() + size, value, std::chars_format::fixed);
    if (size == 0 || result.ec != std::errc()) {
        return std::nullopt;
    }
    text.remove_prefix(static_cast<std::size_t>(result.ptr - text.data()));
    return value;
}

struct Unit {
    std::string_view name;
    double milliseconds;
};
// Longest first, so that "ms" is not read as "m".
constexpr std::array<Unit, 5> kUnits = {
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};

// A Go duration at the front of `text`, which loses it; at least one number with a unit.
std::optional<double> TakeDuration(std::string_view& text) {
    double total = 0;
    std::string_view rest = text;
    bool any = false;
    while (true) {
        std::string_view attempt = rest;
        const std::optional<double> number = TakeDecimal(attempt);
        const auto unit = std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& candidate) {
            return attempt.substr(0, candidate.name.size()) == candidate.name;
        });
        if (!number || unit == kUnits.end()) {
            break;
        }
        attempt.remove_prefix(unit->name.size());
        total += *number * unit->milliseconds;
        rest = attempt;
        any = true;
    }
    if (!any) {
        return std::nullopt;
    }
    text = rest;
    return total;
}

// Days since 1970-01-01 in the proleptic Gregorian calendar (H. Hinnant's days_from_civil).
std::int64_t DaysFromCivil(std::int64_t year, unsigned month, unsigned day) {
    year -= month <= 2 ? 1 : 0;
    const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
    const auto year_of_era = static_cast<unsigned>(year - era * 400);
    const unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    const unsigned day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + static_cast<std::int64_t>(day_of_era) - 719468;
}

std::optional<unsigned> Digits(std::string_view text, std::size_t at, std::size_t count) {
    if (at + count > text.size()) {
        return std::nullopt;
    }
    unsigned value = 0;
    for (std::size_t i = at; i < at + count; ++i) {
        if (text[i] < '0' || text[i] > '9') {
            return std::nullopt;
        }
        value = value * 10 + static_cast<unsigned>(text[i] - '0');
    }
    return value;
}

std::optional<double> EpochMs(unsigned year, unsigned month, unsigned day, unsigned hour,
                              unsigned minute, unsigned second) {
    if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) {
        return std::nullopt;
    }
    const std::int64_t days = DaysFromCivil(year, month, day);
    return static_cast<double>(((days * 24 + hour) * 60 + minute) * 60 + second) * 1000;
}

// 2026-11-18T10:00:00[.fraction](Z|+hh:mm)
std::optional<double> ParseRfc3339(std::string_view text) {
    const auto year = Digits(text, 0, 4);
    const auto month = Digits(text, 5, 2);
    const auto day = Digits(text, 8, 2);
    const auto hour = Digits(text, 11, 2);
    const auto minute = Digits(text, 14, 2);
    const auto second = Digits(text, 17, 2);
    if (!year || !month || !day || !hour || !minute || !second || text[4] != '-' ||
        text[7] != '-' || (text[10] != 'T' && text[10] != 't' && text[10] != ' ') ||
        text[13] != ':' || text[16] != ':') {
        return std::nullopt;
    }
    std::optional<double> epoch = EpochMs(*year, *month, *day, *hour, *minute, *second);
    if (!epoch) {
        return std::nullopt;
    }
    std::string_view rest = text.substr(19);
    if (!rest.empty() && rest.front() == '.') {
        double scale = 100;
        rest.remove_prefix(1);
        while (!rest.empty() && rest.front() >= '0' && rest.front() <= '9') {
            *epoch += (rest.front() - '0') * scale;
            scale /= 10;
            rest.remove_prefix(1);
        }
    }
    if (rest == "Z" || rest == "z") {
        return epoch;
    }
    const auto offset_hours = Digits(rest, 1, 2);
    const auto offset_minutes = Digits(rest, 4, 2);
    if (rest.size() != 6 || (rest[0] != '+' && rest[0] != '-') || rest[3] != ':' || !offset_hours ||
        !offset_minutes) {
        return std::nullopt;
    }
    const double offset = (*offset_hours * 60.0 + *offset_minutes) * 60'000;
    return rest[0] == '+' ? *epoch - offset : *epoch + offset;
}

// Wed, 18 Nov 2026 10:00:00 GMT
std::optional<double> ParseHttpDate(std::string_view text) {
    constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (text.size() != 29 || text.substr(3, 2) != ", " || text.substr(25) != " GMT") {
        return std::nullopt;
    }
    const std::size_t month = kMonths.find(text.substr(8, 3));
    const auto day = Digits(text, 5, 2);
    const auto year = Digits(text, 12, 4);
    const auto hour = Digits(text, 17, 2);
    const auto minute = Digits(text, 20, 2);
    const auto second = Digits(text, 23, 2);
    if (month == std::string_view::npos || month % 3 != 0 || !day || !year || !hour || !minute ||
        !second || text[19] != ':' || text[22] != ':') {
        return std::nullopt;
    }
    return EpochMs(*year, static_cast<unsigned>(month / 3) + 1, *day, *hour, *minute, *second);
}

std::optional<std::int64_t> Until(double epoch_ms, std::uint64_t now_unix_ms) {
    return Clamp(std::max(0.0, epoch_ms - static_cast<double>(now_unix_ms)));
}

// What is left of the limit whose reset header is `reset_name`; nullopt when the head does not say.
std::optional<double> RemainingFor(const sdk::HttpHead& head, std::string reset_name) {
    constexpr std::string_view kReset = "reset";
    reset_name.replace(reset_name.find(kReset), kReset.size(), "remaining");
    const std::optional<std::string_view> value = head.Find(reset_name);
    if (!value) {
        return std::nullopt;
    }
    std::string_view text = Trim(*value);
    return TakeDecimal(text);
}

}  // namespace

std::optional<std::int64_t> ParseRetryDelay(std::string_view text, std::uint64_t now_unix_ms) {
    text = Trim(text);
    std::string_view rest = text;
    if (const std::optional<double> number = TakeDecimal(rest); number && rest.empty()) {
        if (*number > kEpochMillisecondsFrom) {
            return Until(*number, now_unix_ms);
        }
        if (*number > kEpochSecondsFrom) {
            return Until(*number * 1000, now_unix_ms);
        }
        return Clamp(*number * 1000);
    }
    rest = text;
    if (const std::optional<double> duration = TakeDuration(rest); duration && rest.empty()) {
        return Clamp(*duration);
    }
    if (const std::optional<double> epoch = ParseRfc3339(text)) {
        return Until(*epoch, now_unix_ms);
    }
    if (const std::optional<double> epoch = ParseHttpDate(text)) {
        return Until(*epoch, now_unix_ms);
    }
    return std::nullopt;
}

std::optional<std::int64_t> RetryDelayInSentence(std::string_view sentence) {
    const std::string lowered = Lowered(sentence);
    for (const std::string_view lead :
         {"try again in ", "retry in ", "retry after ", "available in "}) {
        const std::size_t at = lowered.find(lead);
        if (at == std::string::npos) {
            continue;
        }
        std::string_view rest = std::string_view(lowered).substr(at + lead.size());
        if (const std::optional<double> duration = TakeDuration(rest)) {
            return Clamp(*duration);
        }
        const std::optional<double> number = TakeDecimal(rest);
        rest = Trim(rest);
        if (!number) {
            continue;
        }
        const double unit = rest.substr(0, 6) == "minute"  ? 60'000
                            : rest.substr(0, 4) == "hour"  ? 3'600'000
                            : rest.substr(0, 5) == "milli" ? 1
                                                           : 1000;
        return Clamp(*number * unit);
    }
    return std::nullopt;
}

RateLimitHints ReadRateLimitHeaders(const sdk::HttpHead& head, std::uint64_t now_unix_ms) {
    RateLimitHints hints;
    if (const std::optional<std::string_view> value = head.Find("retry-after-ms")) {
        std::string_view text = Trim(*value);
        const std::optional<double> number = TakeDecimal(text);
        if (number && text.empty()) {
            hints.retry_after_ms = Clamp(*number);
        }
    }
    if (!hints.retry_after_ms) {
        if (const std::optional<std::string_view> value = head.Find("retry-after")) {
            hints.retry_after_ms = ParseRetryDelay(*value, now_unix_ms);
        }
    }

    std::optional<std::int64_t> used_up;    // the longest of the limits that have nothing left
    std::optional<std::int64_t> undecided;  // the shortest of those that do not say
    head.ForEach([&](std::string_view name, std::string_view value) {
        const std::string lowered = Lowered(name);
        if (lowered.find("ratelimit") == std::string::npos ||
            lowered.find("reset") == std::string::npos) {
            return;
        }
        const std::optional<std::int64_t> delay = ParseRetryDelay(value, now_unix_ms);
        if (!delay) {
            return;
        }
        const std::optional<double> remaining = RemainingFor(head, lowered);
        if (!remaining) {
            undecided = undecided ? std::min(*undecided, *delay) : *delay;
        } else if (*remaining <= 0) {
            used_up = used_up ? std::max(*used_up, *delay) : *delay;
        }
    });
    hints.reset_ms = used_up ? used_up : undecided;
    return hints;
}

}  // namespace aim::openai
