#include "core/plugin/conduct.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace aim::plugin {

Conduct& Conduct::Make(std::string plugin, std::shared_ptr<ConductTotals> totals,
                       Listener listener) {
    // Never freed, as the library is never unmapped. Reachable, so that no leak is reported.
    static std::mutex mutex;
    static auto& all = *new std::vector<std::unique_ptr<Conduct>>();
    std::unique_ptr<Conduct> made(
        new Conduct(std::move(plugin), std::move(totals), std::move(listener)));
    const std::lock_guard lock(mutex);
    return *all.emplace_back(std::move(made));
}

void Conduct::SessionEnds(std::uint64_t calls, std::chrono::nanoseconds time,
                          std::chrono::nanoseconds longest) {
    open_sessions_.fetch_sub(1, std::memory_order_relaxed);
    calls_.fetch_add(calls, std::memory_order_relaxed);
    call_time_.fetch_add(time.count(), std::memory_order_relaxed);
    std::int64_t known = longest_call_.load(std::memory_order_relaxed);
    while (longest.count() > known &&
           !longest_call_.compare_exchange_weak(known, longest.count(), std::memory_order_relaxed))
        continue;
}

void Conduct::Count(Misbehaviour kind, std::string_view detail) {
    const auto index = static_cast<std::size_t>(kind);
    totals_->misbehaviours[index].fetch_add(1, std::memory_order_relaxed);
    if (misbehaviours_[index].fetch_add(1, std::memory_order_relaxed) == 0)
        listener_({Report::Kind::kFirstMisbehaviour, kind, std::string(detail)});
}

void Conduct::CountSlowCall(std::string_view detail) {
    totals_->slow_calls.fetch_add(1, std::memory_order_relaxed);
    if (slow_calls_.fetch_add(1, std::memory_order_relaxed) == 0)
        listener_({Report::Kind::kFirstSlowCall, {}, std::string(detail)});
}

void Conduct::Watch(MonotonicTime now) {
    watched_until_.store((now + kWatch).time_since_epoch().count(), std::memory_order_relaxed);
}

void Conduct::Strike(MonotonicTime now) {
    strike_count_.fetch_add(1, std::memory_order_relaxed);
    {
        const std::lock_guard lock(mutex_);
        strikes_[next_strike_] = now;
        next_strike_ = (next_strike_ + 1) % kStrikes;
        known_strikes_ = std::min(known_strikes_ + 1, kStrikes);
        // In a full ring the next place holds the oldest.
        if (known_strikes_ < kStrikes || now - strikes_[next_strike_] > kWindow) return;
        if (quarantined_.exchange(true)) return;
    }
    listener_({Report::Kind::kQuarantined,
               {},
               "broke the rules in " + std::to_string(kStrikes) + " sessions within ten minutes (" +
                   Describe() + ")"});
}

void Conduct::Condemn(std::chrono::seconds held) {
    {
        const std::lock_guard lock(mutex_);
        if (quarantined_.exchange(true)) return;
    }
    listener_({Report::Kind::kQuarantined,
               {},
               "has held a thread for " + std::to_string(held.count()) +
                   " s in one call, and has not come back"});
}

void Conduct::Pardon() {
    const std::lock_guard lock(mutex_);
    known_strikes_ = 0;
    next_strike_ = 0;
    quarantined_ = false;
}

Conduct::Figures Conduct::figures() const {
    Figures figures;
    figures.sessions = sessions_.load(std::memory_order_relaxed);
    figures.open_sessions = open_sessions_.load(std::memory_order_relaxed);
    figures.calls = calls_.load(std::memory_order_relaxed);
    figures.call_time = std::chrono::nanoseconds(call_time_.load(std::memory_order_relaxed));
    figures.longest_call = std::chrono::nanoseconds(longest_call_.load(std::memory_order_relaxed));
    figures.slow_calls = slow_calls_.load(std::memory_order_relaxed);
    figures.strikes = strike_count_.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i < kMisbehaviourCount; ++i)
        figures.misbehaviours[i] = misbehaviours_[i].load(std::memory_order_relaxed);
    return figures;
}

std::string Conduct::Describe() const {
    std::string text;
    for (std::size_t i = 0; i < kMisbehaviourCount; ++i) {
        const std::uint64_t count = misbehaviours_[i].load(std::memory_order_relaxed);
        if (count == 0) continue;
        text += text.empty() ? "" : ", ";
        text += MisbehaviourName(static_cast<Misbehaviour>(i));
        text += " " + std::to_string(count);
    }
    return text;
}

}  // namespace aim::plugin
