#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/base/clock.hpp"
#include "core/base/loop.hpp"
#include "core/plugin/call_site.hpp"
#include "core/telemetry/log.hpp"

namespace aim::runtime {

// Notices loops that stand still, from a thread of its own: each is asked to answer again and
// again, and one that does not is told in the log, in stalls() and in total(), with the plugin that
// its thread is in. A plugin that holds its loop for much longer is put in quarantine, so that the
// other loops do not follow. Time in which the watchdog itself does not run (a stopped process, a
// sleeping machine) is nobody's.
//
// Made, started and stopped by one thread; stalls() and total() from any.
class LoopWatchdog {
  public:
    struct Options {
        std::chrono::milliseconds interval{500};   // between two questions
        std::chrono::milliseconds limit{3'000};    // without an answer: it stands still
        std::chrono::milliseconds condemn{6'000};  // in one plugin all the time: quarantine
    };
    struct Stall {
        std::string loop;
        std::string plugin;  // empty when it is in none
        std::chrono::milliseconds lasted{0};
    };

    // `logger` outlives the watchdog.
    LoopWatchdog(Options options, telemetry::Logger& logger);
    ~LoopWatchdog() { Stop(); }
    LoopWatchdog(const LoopWatchdog&) = delete;
    LoopWatchdog& operator=(const LoopWatchdog&) = delete;

    // Before Start(), and best before the loop has begun with anything. It runs from before Start()
    // to after Stop().
    void Watch(std::string name, Loop& loop);
    void Start();
    // Ends the thread and waits for it. Idempotent.
    void Stop();

    // Those that stand still now.
    std::vector<Stall> stalls() const;
    // How often one has begun to.
    std::uint64_t total() const { return total_.load(std::memory_order_relaxed); }

  private:
    // What a loop says. Also held by the question, which the loop may answer late.
    struct Pulse {
        std::atomic<std::uint64_t> answered{0};
        std::atomic<const plugin::CallSite*> site{nullptr};
    };
    struct Watched {
        std::string name;
        Loop* loop = nullptr;
        std::shared_ptr<Pulse> pulse = std::make_shared<Pulse>();
        std::uint64_t asked = 0;
        std::chrono::milliseconds silent{0};
        bool stalled = false;
        plugin::Conduct* plugin = nullptr;  // in which it has been since it stands still
    };

    void Work();
    static void Ask(Watched& watched);
    void Look(Watched& watched, std::chrono::milliseconds elapsed);
    void Publish();

    const Options options_;
    telemetry::Logger& logger_;
    std::vector<Watched> watched_;  // the thread's, once it runs
    std::atomic<std::uint64_t> total_{0};
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;      // guarded by mutex_
    std::vector<Stall> stalls_;  // guarded by mutex_
    std::thread thread_;
};

}  // namespace aim::runtime
