#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <vector>

#include "core/http/client/client_stats.hpp"
#include "core/http/client/resolver.hpp"
#include "core/telemetry/metrics.hpp"

namespace aim::runtime {

// The figures of all upstream clients of a process, one a loop, as sums. A client that is gone
// leaves its counters behind, so that no sum ever shrinks. Thread-safe.
class UpstreamMetrics {
  public:
    using Figure = http::client::LoopCounter http::client::ClientStats::*;

    // Counts a client in as long as it lives; on any thread.
    class Member {
      public:
        Member(UpstreamMetrics& owner, const http::client::ClientStats& stats);
        ~Member();
        Member(const Member&) = delete;
        Member& operator=(const Member&) = delete;

      private:
        UpstreamMetrics& owner_;
        const http::client::ClientStats& stats_;
    };

    // Shows them; `this` and the resolver outlive the metrics' last page.
    void Register(telemetry::Metrics& metrics, const http::client::Resolver& resolver);

    std::int64_t Sum(Figure figure) const;

  private:
    struct Counter {
        const char* name;
        const char* help;
        Figure figure;
    };
    static const std::array<Counter, 9> kCounters;

    mutable std::mutex mutex_;
    std::vector<const http::client::ClientStats*> members_;  // guarded by mutex_
    std::array<std::int64_t, 9> gone_{};                     // guarded by mutex_
};

}  // namespace aim::runtime
