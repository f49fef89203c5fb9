#include "core/runtime/loop_watchdog.hpp"

#include <algorithm>
#include <utility>

namespace aim::runtime {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

LoopWatchdog::LoopWatchdog(Options options, telemetry::Logger& logger)
    : options_(options), logger_(logger) {}

void LoopWatchdog::Watch(std::string name, Loop& loop) {
    Watched& watched = watched_.emplace_back();
    watched.name = std::move(name);
    watched.loop = &loop;
    // The first thing that the loop does, so that it is known where its thread is whatever follows.
    Ask(watched);
}

void LoopWatchdog::Ask(Watched& watched) {
    ++watched.asked;
    watched.loop->Post([pulse = watched.pulse, question = watched.asked] {
        pulse->site.store(&plugin::CallSite::OfThisThread(), std::memory_order_release);
        pulse->answered.store(question, std::memory_order_release);
    });
}

void LoopWatchdog::Start() {
    if (!thread_.joinable()) thread_ = std::thread([this] { Work(); });
}

void LoopWatchdog::Stop() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
}

std::vector<LoopWatchdog::Stall> LoopWatchdog::stalls() const {
    const std::lock_guard lock(mutex_);
    return stalls_;
}

void LoopWatchdog::Work() {
    MonotonicTime last = SystemClock().Now();
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            if (wake_.wait_for(lock, options_.interval, [this] { return stopping_; })) return;
        }
        const MonotonicTime now = SystemClock().Now();
        const auto elapsed =
            std::min(duration_cast<milliseconds>(now - last), 2 * options_.interval);
        last = now;
        for (Watched& watched : watched_) Look(watched, elapsed);
        Publish();
    }
}

void LoopWatchdog::Look(Watched& watched, milliseconds elapsed) {
    if (watched.pulse->answered.load(std::memory_order_acquire) == watched.asked) {
        if (std::exchange(watched.stalled, false)) {
            logger_.Warning("loop_resumed", "A loop that stood still runs again",
                            {{"loop", watched.name},
                             {"plugin", watched.plugin ? watched.plugin->plugin() : ""},
                             {"stalled_ms", watched.silent.count()}});
        }
        watched.silent = milliseconds(0);
        watched.plugin = nullptr;
        Ask(watched);
        return;
    }
    watched.silent += elapsed;
    if (watched.silent < options_.limit) return;
    const plugin::CallSite* const site = watched.pulse->site.load(std::memory_order_acquire);
    plugin::Conduct* const in = site == nullptr ? nullptr : site->plugin();
    if (!std::exchange(watched.stalled, true)) {
        watched.plugin = in;
        total_.fetch_add(1, std::memory_order_relaxed);
        logger_.Error("loop_stalled",
                      in ? "A loop stands still in a call of a plugin" : "A loop stands still",
                      {{"loop", watched.name},
                       {"plugin", in ? in->plugin() : ""},
                       {"stalled_ms", watched.silent.count()}});
        return;
    }
    // One that has moved on meanwhile is slow, but not caught in a plugin.
    if (in != watched.plugin) watched.plugin = nullptr;
    if (watched.plugin != nullptr && watched.silent >= options_.condemn)
        watched.plugin->Condemn(duration_cast<std::chrono::seconds>(watched.silent));
}

void LoopWatchdog::Publish() {
    std::vector<Stall> stalls;
    for (const Watched& watched : watched_) {
        if (!watched.stalled) continue;
        stalls.push_back(
            {watched.name, watched.plugin ? watched.plugin->plugin() : "", watched.silent});
    }
    const std::lock_guard lock(mutex_);
    stalls_ = std::move(stalls);
}

}  // namespace aim::runtime
