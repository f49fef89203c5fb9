#include "core/rating/reliability.hpp"

#include <algorithm>
#include <cstdint>

namespace aim::rating {
namespace {

__extension__ typedef unsigned __int128 Wide;

constexpr Wide kMicrosPerScorePoint = 50 * 1000;  // 50 ms cost one point of speed

std::int64_t RoundHalfUp(Wide numerator, Wide denominator) {
    return static_cast<std::int64_t>((2 * numerator + denominator) / (2 * denominator));
}

// The counters as the formula needs them: not negative, successes at most the total. Counts over
// 2^40 (a thousand requests a second for 35 years) are halved together until 128 bits hold every
// product below.
struct Sums {
    explicit Sums(const Counters& counters)
        : total(Natural(counters.total_requests)),
          successful(std::min(Natural(counters.successful_requests), total)),
          failed(std::min(Natural(counters.failed_requests), total)),
          time_us(Natural(counters.response_time_sum_us)),
          timed(Natural(counters.timed_requests)) {
        while (total > kMost) {
            total /= 2;
            successful /= 2;
            failed /= 2;
        }
        while (timed > kMost) {
            timed /= 2;
            time_us /= 2;
        }
    }

    static constexpr std::uint64_t kMost = std::uint64_t{1} << 40;
    static std::uint64_t Natural(std::int64_t value) {
        return static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0));
    }

    std::uint64_t total;
    std::uint64_t successful;
    std::uint64_t failed;
    std::uint64_t time_us;
    std::uint64_t timed;
};

std::int64_t AddUpTo(std::int64_t a, std::int64_t b) {
    std::int64_t sum = 0;
    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

}  // namespace

Counters& Counters::operator+=(const Counters& other) {
    total_requests = AddUpTo(total_requests, other.total_requests);
    successful_requests = AddUpTo(successful_requests, other.successful_requests);
    failed_requests = AddUpTo(failed_requests, other.failed_requests);
    response_time_sum_us = AddUpTo(response_time_sum_us, other.response_time_sum_us);
    timed_requests = AddUpTo(timed_requests, other.timed_requests);
    return *this;
}

Counters& Counters::operator-=(const Counters& other) {
    const auto subtract = [](std::int64_t& value, std::int64_t by) {
        value = value > by ? value - by : 0;
    };
    subtract(total_requests, other.total_requests);
    subtract(successful_requests, other.successful_requests);
    subtract(failed_requests, other.failed_requests);
    subtract(response_time_sum_us, other.response_time_sum_us);
    subtract(timed_requests, other.timed_requests);
    return *this;
}

Reliability ComputeReliability(const Counters& counters) {
    const Sums sums(counters);

    // speed_score / 100 as the fraction speed / full: 1 - average / 5 s, and 1 while nothing was
    // timed.
    const Wide full = sums.timed == 0 ? Wide{1} : 100 * kMicrosPerScorePoint * sums.timed;
    Wide speed = full;
    if (sums.timed > 0) speed = sums.time_us < full ? full - sums.time_us : Wide{0};

    // success_rate / 100 as the fraction good / total.
    const Wide total = sums.total == 0 ? Wide{1} : Wide{sums.total};
    const Wide good = sums.total == 0 ? Wide{1} : Wide{sums.successful};

    Reliability result;
    result.success_rate.value = RoundHalfUp(10000 * good, total);
    result.speed_score.value = RoundHalfUp(10000 * speed, full);
    result.reliability_score.value =
        sums.total == 0 ? 10000
                        : RoundHalfUp(6000 * good * full + 4000 * speed * total, total * full);
    result.error_rate_percent.value =
        sums.total == 0 ? 0 : RoundHalfUp(10000 * Wide{sums.failed}, total);
    result.avg_response_time_ms =
        sums.timed == 0 ? 0 : RoundHalfUp(sums.time_us, 1000 * Wide{sums.timed});
    return result;
}

bool Rank::Better(const Rank& a, const Rank& b) {
    if (a.score != b.score) return a.score > b.score;
    if (a.total_requests != b.total_requests) return a.total_requests < b.total_requests;
    return a.name < b.name;
}

}  // namespace aim::rating
