#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/http/error_response.hpp"
#include "core/http/middleware.hpp"
#include "core/resilience/rate_limiter.hpp"
#include "core/telemetry/counter.hpp"

namespace aim::http {

// So many prompts a minute for each client (its key and its address; a key with a limit of its own
// alone), the limit being the burst too. Holds for routes whose policy is rate_limited; their
// answers say where the client stands. After the auth and client address middleware. Thread-safe.
class RateLimitMiddleware final : public Middleware {
  public:
    struct Options {
        std::uint32_t per_minute =
            10;  // of keys without a limit of their own; 0: no limit, no headers
        std::size_t max_clients =
            100'000;  // beyond it the client that is nearest to its full limit is forgotten
        std::vector<std::string> exempt_keys;  // key ids of our own processes
    };

    explicit RateLimitMiddleware(Options options, const Clock& clock = SystemClock());

    std::optional<Response> Before(Request& request, const Route* route) override;
    void After(const Request& request, const Route* route, Response& response) override;

    // For metrics.
    std::size_t clients() const { return limiter_.size(); }
    const telemetry::Counter& refused() const { return refused_; }

  private:
    const Options options_;
    const Clock& clock_;
    const ErrorWriter errors_;
    resilience::RateLimiter limiter_;
    telemetry::Counter refused_;
};

}  // namespace aim::http
