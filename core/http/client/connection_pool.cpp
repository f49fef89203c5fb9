#include "core/http/client/connection_pool.hpp"

#include <algorithm>

namespace aim::http::client {

using std::chrono::milliseconds;

void PoolWaiter::Leave() {
    if (queued_in_ != nullptr) {
        queued_in_->waiters_.erase(place_);
        queued_in_->owner_.stats().waiting.Add(-1);
        queued_in_ = nullptr;
    }
    if (granted_) std::exchange(granted_, nullptr)->Close();
}

OriginPool::~OriginPool() { CloseIdle(MonotonicTime::max()); }

bool OriginPool::TooOld(const Connection& connection, MonotonicTime now) const {
    return now - connection.created_at >= owner_.limits().connection_age;
}

ConnectionPtr OriginPool::TakeIdle(MonotonicTime now) {
    last_used = now;
    while (!idle_.empty()) {
        ConnectionPtr connection = std::move(idle_.back());
        idle_.pop_back();
        owner_.stats().connections_idle.Add(-1);
        const bool fresh =
            now - connection->idle_since < owner_.limits().idle_age && !TooOld(*connection, now);
        if (fresh && connection->end() == Connection::End::kOpen) {
            connection->used_before = true;
            return connection;
        }
        connection->Close();
    }
    return nullptr;
}

ConnectionPtr OriginPool::MakeConnection() {
    ++open_;
    owner_.stats().connections_open.Add(1);
    return ConnectionPtr(new Connection(owner_.executor(), this));
}

OriginPool::Grant OriginPool::Request(PoolWaiter& waiter) {
    if (open_ < owner_.limits().connections_per_origin) {
        waiter.granted_ = MakeConnection();
        return Grant::kGranted;
    }
    if (waiters_.size() >= owner_.limits().waiters_per_origin) {
        owner_.stats().pool_refusals.Add(1);
        return Grant::kRefused;
    }
    owner_.stats().pool_waits.Add(1);
    owner_.stats().waiting.Add(1);
    waiter.place_ = waiters_.insert(waiters_.end(), &waiter);
    waiter.queued_in_ = this;
    return Grant::kQueued;
}

void OriginPool::Release(ConnectionPtr connection, MonotonicTime now) {
    last_used = now;
    connection->SetUser(nullptr);
    if (TooOld(*connection, now)) return connection->Close();
    if (!waiters_.empty()) {
        PoolWaiter& waiter = *waiters_.front();
        waiters_.pop_front();
        waiter.queued_in_ = nullptr;
        owner_.stats().waiting.Add(-1);
        connection->used_before = true;
        waiter.granted_ = std::move(connection);
        return waiter.signal_.Post(owner_.executor());
    }
    if (idle_.size() >= owner_.limits().idle_per_origin) return connection->Close();
    // A provider that says something unasked or has left already is not kept.
    if (connection->WantInput()) return connection->Close();
    connection->idle_since = now;
    idle_.push_back(std::move(connection));
    owner_.stats().connections_idle.Add(1);
    owner_.WatchIdle();
}

void OriginPool::OnClosed() {
    --open_;
    owner_.stats().connections_open.Add(-1);
    GrantFresh();
}

void OriginPool::GrantFresh() {
    if (waiters_.empty() || open_ >= owner_.limits().connections_per_origin) return;
    PoolWaiter& waiter = *waiters_.front();
    waiters_.pop_front();
    waiter.queued_in_ = nullptr;
    owner_.stats().waiting.Add(-1);
    waiter.granted_ = MakeConnection();
    waiter.signal_.Post(owner_.executor());
}

void OriginPool::OnIdleChange(Connection& connection) {
    const auto place = std::find_if(idle_.begin(), idle_.end(), [&](const ConnectionPtr& idle) {
        return idle.get() == &connection;
    });
    if (place == idle_.end()) return;
    const ConnectionPtr leaving = std::move(*place);
    idle_.erase(place);
    owner_.stats().connections_idle.Add(-1);
    leaving->Close();
}

void OriginPool::CloseIdle(MonotonicTime idle_since_before) {
    // The oldest are in front.
    while (!idle_.empty() && idle_.front()->idle_since < idle_since_before) {
        const ConnectionPtr leaving = std::move(idle_.front());
        idle_.erase(idle_.begin());
        owner_.stats().connections_idle.Add(-1);
        leaving->Close();
    }
}

ConnectionPool::ConnectionPool(const Executor& executor, TimerQueue& timers,
                               const PoolLimits& limits, ClientStats& stats)
    : executor_(executor),
      limits_(limits),
      stats_(stats),
      sweep_timer_(timers, [this] { Sweep(); }) {}

OriginPool* ConnectionPool::For(const Url& url, MonotonicTime now) {
    const OriginView origin{url.tls, url.host, url.port};
    const auto found = origins_.find(origin);
    if (found != origins_.end()) return found->second.get();
    if (origins_.size() >= limits_.origins) ForgetUnused(MonotonicTime::max());
    if (origins_.size() >= limits_.origins) return nullptr;
    auto pool = std::make_unique<OriginPool>(*this);
    pool->last_used = now;
    return origins_.emplace(OriginName{url.tls, url.host, url.port}, std::move(pool))
        .first->second.get();
}

void ConnectionPool::WatchIdle() {
    if (sweep_timer_.armed() || stopped_) return;
    sweep_timer_.ArmAfter(std::clamp(limits_.idle_age / 4, milliseconds(1), milliseconds(5000)));
}

void ConnectionPool::Sweep() {
    const MonotonicTime now = std::chrono::steady_clock::now();
    for (auto& [origin, pool] : origins_) pool->CloseIdle(now - limits_.idle_age);
    ForgetUnused(now - limits_.origin_age);
    if (!origins_.empty()) WatchIdle();
}

void ConnectionPool::ForgetUnused(MonotonicTime used_before) {
    std::erase_if(origins_, [&](const auto& entry) {
        return entry.second->unused() && entry.second->last_used < used_before;
    });
}

void ConnectionPool::Stop() {
    stopped_ = true;
    sweep_timer_.Disarm();
    for (auto& [origin, pool] : origins_) pool->CloseIdle(MonotonicTime::max());
}

}  // namespace aim::http::client
