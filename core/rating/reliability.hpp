#pragma once

#include <cstdint>
#include <string_view>

namespace aim::rating {

// What is counted of a model, as exact integers; the same columns as the data API's row.
struct Counters {
    std::int64_t total_requests = 0;
    std::int64_t successful_requests = 0;
    std::int64_t failed_requests = 0;
    std::int64_t response_time_sum_us = 0;  // over the timed requests
    std::int64_t timed_requests =
        0;  // outcomes that carried a time; others leave the average as it is

    Counters& operator+=(const Counters& other);
    // Stops at zero: a row that was reset by hand must not turn negative.
    Counters& operator-=(const Counters& other);
    friend bool operator==(const Counters&, const Counters&) = default;
};

// A number with exactly two decimals, kept as hundredths so that comparing and printing agree: 9550
// is 95.5.
struct Hundredths {
    std::int64_t value = 0;
    double ToDouble() const { return static_cast<double>(value) / 100.0; }
    friend auto operator<=>(const Hundredths&, const Hundredths&) = default;
};

struct Reliability {
    Hundredths success_rate;        // successful / total x 100
    Hundredths speed_score;         // max(0, 100 - average in ms / 50)
    Hundredths reliability_score;   // success_rate x 0.6 + speed_score x 0.4
    Hundredths error_rate_percent;  // failed / total x 100
    std::int64_t avg_response_time_ms = 0;
};

// The formula of design section 5, the only one in the tree: computed from the exact sums, each
// figure rounded once, half up (the score is not made of rounded parts). Without requests: 100,
// 100, 100, 0, 0 ms. Any input gives a result: negative figures count as 0, more successes than
// requests as all of them.
Reliability ComputeReliability(const Counters& counters);

// What the order of models looks at. Rank::Better is the strict weak order of choice: higher score,
// then fewer requests, then name.
struct Rank {
    Hundredths score;
    std::int64_t total_requests = 0;
    std::string_view name;  // borrowed

    static bool Better(const Rank& a, const Rank& b);
};

}  // namespace aim::rating
