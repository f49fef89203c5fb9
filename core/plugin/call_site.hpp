#pragma once

#include <atomic>

#include "core/plugin/conduct.hpp"

namespace aim::plugin {

// In which plugin a thread is at this moment. C code that does not return cannot be interrupted,
// but whoever watches from another thread (core/runtime/loop_watchdog) can name it. A store when a
// call begins, and one when it ends.
class CallSite {
  public:
    // The calling thread's; lives as long as the thread.
    static CallSite& OfThisThread() {
        thread_local constinit CallSite site;
        return site;
    }

    void Enter(Conduct* plugin) { plugin_.store(plugin, std::memory_order_release); }
    void Leave() { plugin_.store(nullptr, std::memory_order_relaxed); }

    // From any thread: null in no plugin, or in one whose conduct nobody keeps.
    Conduct* plugin() const { return plugin_.load(std::memory_order_acquire); }

  private:
    constexpr CallSite() = default;

    std::atomic<Conduct*> plugin_{nullptr};
};

}  // namespace aim::plugin
