#pragma once

#include <chrono>

#include "core/base/random.hpp"

namespace aim::resilience {

struct BackoffOptions {
    std::chrono::milliseconds initial{1000};
    double factor = 2.0;
    std::chrono::milliseconds cap{300000};
    double jitter = 0.5;  // the share of the delay that is drawn: 0 none, 1 all of it
};

// The wait before the n-th repetition (n from 1): initial x factor^(n-1), at most the cap, of which
// the jitter's share is drawn, so that those who failed together do not come back together. Never
// over the cap, never negative; any n is fine.
std::chrono::milliseconds BackoffDelay(const BackoffOptions& options, int repetition,
                                       Random& random);

}  // namespace aim::resilience
