#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

namespace aim::plugin {

// How long one call into a plugin may take (rule P20), by how much input it was given. The
// thresholds are for one loop's thread, on which everybody else waits meanwhile.
struct CallBudget {
    std::chrono::microseconds slow;      // noted
    std::chrono::microseconds breach;    // misbehaviour, when it was the plugin that used the time;
                                         // it is watched from here on, so that this can be told
    std::chrono::microseconds hopeless;  // misbehaviour in any case

    // 5 ms, 50 ms and 1 s for up to 64 KiB, and as much again for every further 64 KiB.
    static CallBudget For(std::size_t input_bytes);
};

// What the calling thread has used so far. The clock on the wall also runs while the machine gives
// the processor to others; this does not. Costs a system call, so only watched plugins are measured
// with it.
struct ThreadUsage {
    std::chrono::microseconds processor{0};
    long own_waits = 0;  // times that the thread gave the processor up by itself (slept, waited)

    static ThreadUsage Now();
};

enum class CallVerdict { kFine, kSlow, kBreach };

// Judges a call that took `took` on the wall. With the usage before and after it a breach is the
// plugin's own doing: it computed, or it waited; a thread that was merely not scheduled is slow.
// Pure.
CallVerdict JudgeCall(const CallBudget& budget, std::chrono::nanoseconds took,
                      const std::optional<ThreadUsage>& before,
                      const std::optional<ThreadUsage>& after);

}  // namespace aim::plugin
