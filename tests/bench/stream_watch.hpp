// Follows one stream of server-sent events: which deltas came, and when. No I/O; time is an
// argument.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "tests/bench/latencies.hpp"
#include "tests/bench/nonce.hpp"

namespace aim::bench {

struct StreamRules {
    std::size_t deltas = 64;
    // The provider sends a delta each time this has passed since it was asked; 0: it is not known.
    std::chrono::milliseconds pace{0};
    std::chrono::milliseconds late{50};    // behind the pace by more: late
    std::chrono::milliseconds stall{200};  // silent for longer: stalled
    bool marked = false;                   // a nonce must come back
};

class StreamWatch {
  public:
    using Time = std::chrono::steady_clock::time_point;

    void Begin(Time asked_at, const Nonce& nonce);
    // The bytes of the body that were not looked at yet are appended here…
    std::string* buffer() { return &buffer_; }
    // …and looked at, as having come at `now`. How far each delta is behind the pace goes to
    // `lateness`.
    void Look(Time now, const StreamRules& rules, Latencies* lateness);

    // Every delta in its place, the nonce, and the end.
    bool Complete(const StreamRules& rules) const;

    std::size_t deltas() const { return deltas_; }
    std::size_t late() const { return late_; }
    std::size_t stalls() const { return stalls_; }
    bool in_order() const { return in_order_; }
    bool answered_another() const { return deltas_ > 0 && !nonce_seen_; }
    Time::duration longest_gap() const { return longest_gap_; }
    Time::duration first_delta() const { return first_delta_; }

  private:
    void OnDelta(std::string_view event, std::string_view content, Time now,
                 const StreamRules& rules, Latencies* lateness);

    std::string buffer_;
    Nonce nonce_{};
    Time asked_at_;
    Time last_;
    std::size_t deltas_ = 0;
    std::size_t late_ = 0;
    std::size_t stalls_ = 0;
    bool terminated_ = false;
    bool in_order_ = true;
    bool nonce_seen_ = false;
    Time::duration longest_gap_{0};
    Time::duration first_delta_{0};
};

}  // namespace aim::bench
