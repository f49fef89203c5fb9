#pragma once

#include <atomic>
#include <functional>

#include <boost/asio/thread_pool.hpp>

#include "core/base/task.hpp"

namespace aim {

// One thread for the few things that must wait for something else than a socket (a rescan of plugin
// folders), so that no engine thread does. Bounded: while `kQueued` calls wait, further ones are
// refused. Thread-safe; outlives the loops that use it.
class BlockingPool {
  public:
    static constexpr int kQueued = 16;

    BlockingPool() : pool_(1) {}
    ~BlockingPool() { Stop(); }

    // Runs `action` on the pool's thread and resumes the caller on its own loop. False: refused, it
    // did not run.
    Task<bool> Run(std::function<void()> action);

    // Waits for what runs. Idempotent.
    void Stop() { pool_.join(); }

    int waiting() const { return waiting_.load(std::memory_order_relaxed); }

  private:
    boost::asio::thread_pool pool_;
    std::atomic<int> waiting_{0};
};

}  // namespace aim
