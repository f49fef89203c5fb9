// What the mock's sessions share: how their luck is drawn, and what their failures look like.
#pragma once

#include <cstdint>

#include "aim/sdk/session.hpp"

namespace aim::mock {

inline constexpr std::uint64_t kLongestWaitMs = 60'000;  // the host cuts a longer one

// SplitMix64: a few draws for each session.
class Draws final {
  public:
    explicit Draws(std::uint64_t seed) : state_(seed) {}

    // At least 0 and less than 1.
    double Unit() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

  private:
    std::uint64_t Next() {
        std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
        return z ^ (z >> 31);
    }

    std::uint64_t state_;
};

// The status that a provider would have sent with an error of this kind.
inline int StatusOf(sdk::ErrorKind kind) {
    switch (kind) {
        case sdk::ErrorKind::kInvalidRequest:
        case sdk::ErrorKind::kContextTooLong:
        case sdk::ErrorKind::kContentFiltered:
        case sdk::ErrorKind::kUnsupported:
            return 400;
        case sdk::ErrorKind::kUnauthenticated:
            return 401;
        case sdk::ErrorKind::kQuotaExhausted:
            return 402;
        case sdk::ErrorKind::kForbidden:
            return 403;
        case sdk::ErrorKind::kModelNotFound:
            return 404;
        case sdk::ErrorKind::kRateLimited:
            return 429;
        case sdk::ErrorKind::kOverloaded:
            return 503;
        case sdk::ErrorKind::kUpstreamTimeout:
            return 504;
        case sdk::ErrorKind::kUpstreamFailure:
            return 500;
        default:
            return 0;
    }
}

}  // namespace aim::mock
