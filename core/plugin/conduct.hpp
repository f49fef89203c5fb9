#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "core/base/clock.hpp"
#include "core/plugin/misbehaviour.hpp"

namespace aim::plugin {

// Sums over all plugins of a process, for its metrics. Thread-safe.
struct ConductTotals {
    std::array<std::atomic<std::uint64_t>, kMisbehaviourCount> misbehaviours{};
    std::atomic<std::uint64_t> slow_calls{0};
};

// How one content of a plugin behaves while it serves: its sessions, the time of its calls, what it
// did against the rules, and the verdict. A session in which it misbehaved is a strike; the fifth
// strike within ten minutes puts it in quarantine, and so does a call that does not come back,
// until Pardon(). Lives for ever, like the code that it is about: whoever that code calls late
// still finds it. Thread-safe.
class Conduct {
  public:
    static constexpr std::size_t kStrikes = 5;
    static constexpr std::chrono::minutes kWindow{10};
    // How long a plugin is measured closely after a call that was long enough to be a breach.
    static constexpr std::chrono::seconds kWatch{60};

    struct Report {
        enum class Kind { kFirstMisbehaviour, kFirstSlowCall, kQuarantined };
        Kind kind;
        Misbehaviour misbehaviour = Misbehaviour::kException;  // kFirstMisbehaviour only
        std::string detail;  // of a quarantine: what the plugin did, as the end of a sentence
    };
    // Told the first misbehaviour of each kind, the first slow call and the quarantine; on whatever
    // thread it happens, so it must not block. Must stay callable for ever.
    using Listener = std::function<void(const Report&)>;

    static Conduct& Make(std::string plugin, std::shared_ptr<ConductTotals> totals,
                         Listener listener);
    Conduct(const Conduct&) = delete;
    Conduct& operator=(const Conduct&) = delete;

    // The plugin's id.
    const std::string& plugin() const { return plugin_; }

    void SessionBegins() {
        sessions_.fetch_add(1, std::memory_order_relaxed);
        open_sessions_.fetch_add(1, std::memory_order_relaxed);
    }
    // With the number of calls that it took and their time.
    void SessionEnds(std::uint64_t calls, std::chrono::nanoseconds time,
                     std::chrono::nanoseconds longest);

    void Count(Misbehaviour kind, std::string_view detail);
    void CountSlowCall(std::string_view detail);
    // From here on, for kWatch, each call is measured in what the thread itself uses.
    void Watch(MonotonicTime now);
    void Strike(MonotonicTime now);
    // A call holds its thread and does not come back: quarantine at once, so that the same does not
    // happen to the next thread. From any thread; counted when the call does come back.
    void Condemn(std::chrono::seconds held);

    bool quarantined() const { return quarantined_.load(std::memory_order_relaxed); }
    bool IsWatched(MonotonicTime now) const {
        return now.time_since_epoch().count() < watched_until_.load(std::memory_order_relaxed);
    }

    // Strikes and quarantine are forgotten, counts stay.
    void Pardon();

    struct Figures {
        std::uint64_t sessions = 0;
        std::int64_t open_sessions = 0;
        std::uint64_t calls = 0;
        std::chrono::nanoseconds call_time{0};
        std::chrono::nanoseconds longest_call{0};
        std::uint64_t slow_calls = 0;
        std::uint64_t strikes = 0;  // all, not only those of the window
        std::array<std::uint64_t, kMisbehaviourCount> misbehaviours{};
    };
    Figures figures() const;

    // "exception 5, over_budget 1"; empty when it behaved.
    std::string Describe() const;

  private:
    Conduct(std::string plugin, std::shared_ptr<ConductTotals> totals, Listener listener)
        : plugin_(std::move(plugin)), totals_(std::move(totals)), listener_(std::move(listener)) {}

    const std::string plugin_;
    const std::shared_ptr<ConductTotals> totals_;
    const Listener listener_;
    std::atomic<std::uint64_t> sessions_{0};
    std::atomic<std::int64_t> open_sessions_{0};
    std::atomic<std::uint64_t> calls_{0};
    std::atomic<std::int64_t> call_time_{0};
    std::atomic<std::int64_t> longest_call_{0};
    std::atomic<std::uint64_t> slow_calls_{0};
    std::atomic<std::uint64_t> strike_count_{0};
    std::array<std::atomic<std::uint64_t>, kMisbehaviourCount> misbehaviours_{};
    std::atomic<MonotonicTime::rep> watched_until_{MonotonicTime::duration::min().count()};
    std::atomic<bool> quarantined_{false};

    std::mutex mutex_;
    std::array<MonotonicTime, kStrikes> strikes_{};  // a ring; guarded by mutex_
    std::size_t next_strike_ = 0;                    // guarded by mutex_
    std::size_t known_strikes_ = 0;                  // guarded by mutex_
};

}  // namespace aim::plugin
