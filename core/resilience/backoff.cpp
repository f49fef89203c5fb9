#include "core/resilience/backoff.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace aim::resilience {

std::chrono::milliseconds BackoffDelay(const BackoffOptions& options, int repetition,
                                       Random& random) {
    const double cap = static_cast<double>(options.cap.count());
    const double exponent = std::clamp(repetition - 1, 0, 1000);
    // pow may become infinite; the cap brings it back.
    const double whole = std::min(
        static_cast<double>(options.initial.count()) * std::pow(options.factor, exponent), cap);
    const double share = std::clamp(options.jitter, 0.0, 1.0);
    constexpr double kTo53 = 9007199254740992.0;
    const double drawn = static_cast<double>(random.Next() >> 11) / kTo53;  // [0, 1)
    return std::chrono::milliseconds(
        static_cast<std::int64_t>(std::max(whole - whole * share * drawn, 0.0)));
}

}  // namespace aim::resilience
