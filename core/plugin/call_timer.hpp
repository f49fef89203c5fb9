#pragma once

#include <cstddef>
#include <optional>

#include "core/base/clock.hpp"
#include "core/plugin/call_budget.hpp"
#include "core/plugin/conduct.hpp"

namespace aim::plugin {

// Takes the time of one call into a plugin, holds it against the budget, and has the plugin's
// conduct count what is over it; meanwhile the thread's CallSite names the plugin. Made directly
// before the call and ended directly after it, on the same thread.
class CallTimer {
  public:
    // `conduct` may be null: nobody counts. `clock` and `conduct` outlive the timer.
    CallTimer(Conduct* conduct, const Clock& clock, std::size_t input_bytes);

    // The call is over. kBreach is a misbehaviour that is counted already; the strike is the
    // caller's. Once.
    CallVerdict Judge();

    MonotonicTime::duration took() const { return took_; }

  private:
    Conduct* const conduct_;
    const Clock& clock_;
    const std::size_t input_bytes_;
    const MonotonicTime started_;
    std::optional<ThreadUsage> before_;
    MonotonicTime::duration took_{0};
};

}  // namespace aim::plugin
