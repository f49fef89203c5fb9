#pragma once

#include <atomic>
#include <chrono>
#include <limits>

#include "core/base/clock.hpp"
#include "core/http/error_response.hpp"
#include "core/http/middleware.hpp"

namespace aim::http {

// When a process that is about to end stops taking new work. Thread-safe.
class DrainGate {
  public:
    // From `time` on. Until then requests are served, so that whoever watches /ready can turn away.
    void CloseAt(MonotonicTime time) {
        closes_at_.store(time.time_since_epoch().count(), std::memory_order_relaxed);
    }
    bool IsClosed(const Clock& clock) const {
        const auto at = closes_at_.load(std::memory_order_relaxed);
        return at != kNever && clock.Now().time_since_epoch().count() >= at;
    }

  private:
    static constexpr MonotonicTime::rep kNever = std::numeric_limits<MonotonicTime::rep>::max();
    std::atomic<MonotonicTime::rep> closes_at_{kNever};
};

// Answers 503 `draining` behind a closed gate, before anything was done with the request: a
// balancer may send it elsewhere whatever its method. Open routes (health, metrics) are still
// served. Thread-safe.
class DrainingMiddleware final : public Middleware {
  public:
    // `gate` and `clock` outlive it.
    explicit DrainingMiddleware(const DrainGate& gate, const Clock& clock = SystemClock())
        : gate_(gate), clock_(clock), errors_(clock) {}

    std::optional<Response> Before(Request& request, const Route* route) override {
        if ((route != nullptr && route->policy.open) || !gate_.IsClosed(clock_))
            return std::nullopt;
        ErrorAnswer answer;
        answer.code = "draining";
        answer.message = "This server is being stopped; send the request again.";
        return errors_.Write(ProtocolFor(request, route), request.request_id, answer);
    }
    void After(const Request&, const Route*, Response&) override {}

  private:
    const DrainGate& gate_;
    const Clock& clock_;
    const ErrorWriter errors_;
};

}  // namespace aim::http
