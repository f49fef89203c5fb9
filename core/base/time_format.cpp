#include "core/base/time_format.hpp"

#include <algorithm>
#include <chrono>

namespace aim {
namespace {

// Reads exactly `count` digits at `text`'s front; nullopt when there are fewer.
std::optional<int> TakeDigits(std::string_view& text, std::size_t count) {
    if (text.size() < count) return std::nullopt;
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
        if (text[i] < '0' || text[i] > '9') return std::nullopt;
        value = value * 10 + (text[i] - '0');
    }
    text.remove_prefix(count);
    return value;
}

bool TakeChar(std::string_view& text, char expected) {
    if (text.empty() || text.front() != expected) return false;
    text.remove_prefix(1);
    return true;
}

std::chrono::microseconds TakeFraction(std::string_view& text, bool& valid) {
    std::int64_t micros = 0;
    int digits = 0;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
        if (digits < 6) micros = micros * 10 + (text.front() - '0');
        ++digits;
        text.remove_prefix(1);
    }
    valid = digits >= 1 && digits <= 9;
    for (int i = digits; i < 6; ++i) micros *= 10;
    return std::chrono::microseconds(micros);
}

}  // namespace

std::array<char, 24> Rfc3339Chars(WallTime time) {
    using namespace std::chrono;
    const auto day = floor<days>(time);
    const year_month_day date(day);
    const hh_mm_ss clock(floor<milliseconds>(time - day));
    std::array<char, 24> text = {"0000-00-00T00:00:00.000"};
    text[23] = 'Z';
    // Digits from the right to the left, ending before `end`.
    const auto put = [&text](std::size_t end, auto value) {
        for (auto rest = static_cast<unsigned>(value); rest > 0; rest /= 10)
            text[--end] = static_cast<char>('0' + rest % 10);
    };
    put(4, std::clamp(static_cast<int>(date.year()), 0, 9999));
    put(7, static_cast<unsigned>(date.month()));
    put(10, static_cast<unsigned>(date.day()));
    put(13, clock.hours().count());
    put(16, clock.minutes().count());
    put(19, clock.seconds().count());
    put(23, clock.subseconds().count());
    return text;
}

std::string FormatRfc3339(WallTime time) {
    const std::array<char, 24> text = Rfc3339Chars(time);
    return std::string(text.data(), text.size());
}

std::optional<WallTime> ParseRfc3339(std::string_view text) {
    using namespace std::chrono;
    const auto y = TakeDigits(text, 4);
    if (!y || !TakeChar(text, '-')) return std::nullopt;
    const auto mo = TakeDigits(text, 2);
    if (!mo || !TakeChar(text, '-')) return std::nullopt;
    const auto d = TakeDigits(text, 2);
    if (!d || text.empty() || (text.front() != 'T' && text.front() != 't' && text.front() != ' '))
        return std::nullopt;
    text.remove_prefix(1);
    const auto h = TakeDigits(text, 2);
    if (!h || !TakeChar(text, ':')) return std::nullopt;
    const auto mi = TakeDigits(text, 2);
    if (!mi || !TakeChar(text, ':')) return std::nullopt;
    const auto s = TakeDigits(text, 2);
    if (!s || *h > 23 || *mi > 59 || *s > 60) return std::nullopt;
    microseconds fraction{0};
    if (TakeChar(text, '.')) {
        bool valid = false;
        fraction = TakeFraction(text, valid);
        if (!valid) return std::nullopt;
    }
    minutes offset{0};
    if (text == "Z" || text == "z") {
        text = {};
    } else if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
        const int sign = text.front() == '-' ? -1 : 1;
        text.remove_prefix(1);
        const auto oh = TakeDigits(text, 2);
        TakeChar(text, ':');
        const auto om = oh ? TakeDigits(text, 2) : std::optional<int>(0);
        if (!oh || !om || *oh > 23 || *om > 59) return std::nullopt;
        offset = minutes(sign * (*oh * 60 + *om));
    } else {
        return std::nullopt;
    }
    const year_month_day date{year(*y), month(static_cast<unsigned>(*mo)),
                              day(static_cast<unsigned>(*d))};
    if (!date.ok() || !text.empty()) return std::nullopt;
    return WallTime(sys_days(date)) + hours(*h) + minutes(*mi) + seconds(*s) + fraction - offset;
}

}  // namespace aim
