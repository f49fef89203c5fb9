#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

#include "core/base/clock.hpp"
#include "core/base/random.hpp"
#include "core/resilience/backoff.hpp"

namespace aim::resilience {

enum class RestState {
    kNone,
    kCoolingDown,  // rate limited: will be fine by itself
    kParked,       // an operator has to look: key, quota, model name
};

// Leaves a model alone for a while because the provider said so (design section 6). Cooling down:
// clamp(max(own backoff, the provider's hint), 1 s, 5 min), the own backoff doubling with every
// rest until a success (limits hit during a rest are the same burst). Parked: 5 min, or until the
// provider's reset hint (at most 24 h, so that a wrong header cannot lose a model for ever). A
// longer rest is never shortened by a later shorter one. Time is an argument. Thread-safe; state()
// takes no lock.
class Cooldown {
  public:
    static constexpr std::chrono::milliseconds kShortest = std::chrono::seconds(1);
    static constexpr std::chrono::milliseconds kLongest = std::chrono::minutes(5);
    static constexpr std::chrono::milliseconds kParked = std::chrono::minutes(5);
    static constexpr std::chrono::milliseconds kLongestParked = std::chrono::hours(24);

    // Both return for how long the model rests from now on.
    std::chrono::milliseconds CoolDown(MonotonicTime now,
                                       std::optional<std::chrono::milliseconds> hint,
                                       Random& random);
    std::chrono::milliseconds Park(MonotonicTime now,
                                   std::optional<std::chrono::milliseconds> hint);

    // A success of ours: the rest is over and the backoff starts anew, unless the attempt began
    // before the rest did (a long stream that ends well says nothing about a limit that was hit
    // meanwhile).
    void NoteSuccess(MonotonicTime attempt_began, MonotonicTime now);
    // A success elsewhere (replica, health worker), as the catalogue shows it: the same when it is
    // newer than the start of the rest and is not one of ours that came back (within a second of
    // our last one).
    void NoteOutsideSuccess(WallTime success_at, WallTime wall_now, MonotonicTime now);

    RestState state(MonotonicTime now) const;
    // What is left of the rest; 0 when there is none.
    std::chrono::milliseconds Remaining(MonotonicTime now) const;

  private:
    bool Resting(MonotonicTime now) const;
    std::chrono::milliseconds Rest(MonotonicTime now, std::chrono::milliseconds duration,
                                   bool parked);
    void End();

    std::mutex mutex_;
    std::atomic<std::int64_t> until_{
        0};  // monotonic nanoseconds; 0 = no rest. Written under the mutex.
    std::atomic<bool> parked_{false};
    MonotonicTime began_{};
    std::optional<MonotonicTime> last_success_;
    int rests_in_a_row_ = 0;
};

}  // namespace aim::resilience
