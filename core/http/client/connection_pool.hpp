#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/clock.hpp"
#include "core/base/task.hpp"
#include "core/base/timer_queue.hpp"
#include "core/http/client/client_options.hpp"
#include "core/http/client/client_stats.hpp"
#include "core/http/client/connection.hpp"
#include "core/http/client/signal.hpp"
#include "core/http/client/tls_context.hpp"
#include "core/http/url.hpp"

namespace aim::http::client {

class ConnectionPool;

// An exchange's place in an origin's queue. Leaves it when destroyed; a connection that was granted
// and not taken is closed.
class PoolWaiter {
  public:
    // `signal` is raised when the place is granted.
    explicit PoolWaiter(Signal& signal) : signal_(signal) {}
    ~PoolWaiter() { Leave(); }
    PoolWaiter(const PoolWaiter&) = delete;
    PoolWaiter& operator=(const PoolWaiter&) = delete;

    // Connected, or fresh and still to be connected.
    ConnectionPtr Take() { return std::move(granted_); }
    bool granted() const { return granted_ != nullptr; }
    void Leave();

  private:
    friend class OriginPool;
    Signal& signal_;
    OriginPool* queued_in_ = nullptr;
    std::list<PoolWaiter*>::iterator place_;
    ConnectionPtr granted_;
};

// The connections to one origin: idle ones are reused last in, first out, so that what is not
// needed ages and goes.
class OriginPool {
  public:
    explicit OriginPool(ConnectionPool& owner)
        : owner_(owner), sessions(std::make_shared<TlsSessionSlot>()) {}
    ~OriginPool();

    // A connected one that was idle, or null.
    ConnectionPtr TakeIdle(MonotonicTime now);

    enum class Grant { kGranted, kQueued, kRefused };
    // A fresh connection for `waiter`, now or, when all are in use, later.
    Grant Request(PoolWaiter& waiter);

    // Gives back a connection whose answer was read to its end.
    void Release(ConnectionPtr connection, MonotonicTime now);

    // Of Connection only: it was closed; something came on an idle one.
    void OnClosed();
    void OnIdleChange(Connection& connection);

    // Closes what idles for too long, or all.
    void CloseIdle(MonotonicTime idle_since_before);
    bool unused() const { return open_ == 0 && waiters_.empty(); }
    bool busy() const { return open_ > idle_.size(); }

    MonotonicTime last_used{};

  private:
    friend class PoolWaiter;
    bool TooOld(const Connection& connection, MonotonicTime now) const;
    ConnectionPtr MakeConnection();
    void GrantFresh();

    ConnectionPool& owner_;
    std::vector<ConnectionPtr> idle_;
    std::size_t open_ = 0;
    std::list<PoolWaiter*> waiters_;

  public:
    const std::shared_ptr<TlsSessionSlot> sessions;
};

// All origins of one client. One loop's thread.
class ConnectionPool {
  public:
    ConnectionPool(const Executor& executor, TimerQueue& timers, const PoolLimits& limits,
                   ClientStats& stats);

    // The pool of an origin; null when there are too many.
    OriginPool* For(const Url& url, MonotonicTime now);

    // Closes what is idle and sweeps no more.
    void Stop();

    const Executor& executor() const { return executor_; }
    const PoolLimits& limits() const { return limits_; }
    ClientStats& stats() { return stats_; }
    void WatchIdle();

  private:
    struct OriginView {
        bool tls;
        std::string_view host;
        std::uint16_t port;
        bool operator==(const OriginView&) const = default;
    };
    struct OriginName {
        bool tls;
        std::string host;
        std::uint16_t port;
        // Implicit, because heterogeneous lookup compares names and views.
        // NOLINTNEXTLINE(google-explicit-constructor)
        operator OriginView() const { return {tls, host, port}; }
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(const OriginView& origin) const {
            return std::hash<std::string_view>()(origin.host) * 31 + origin.port * 2u +
                   (origin.tls ? 1 : 0);
        }
        std::size_t operator()(const OriginName& origin) const {
            return (*this)(OriginView(origin));
        }
    };
    struct Equal {
        using is_transparent = void;
        bool operator()(const OriginView& a, const OriginView& b) const { return a == b; }
    };

    void Sweep();
    void ForgetUnused(MonotonicTime used_before);

    Executor executor_;
    PoolLimits limits_;
    ClientStats& stats_;
    std::unordered_map<OriginName, std::unique_ptr<OriginPool>, Hash, Equal> origins_;
    TimerQueue::Timer sweep_timer_;
    bool stopped_ = false;
};

}  // namespace aim::http::client
