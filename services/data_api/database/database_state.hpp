#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>

namespace aim::data_api::database {

// Whether the database may be asked at the moment. While it may not, requests fail at once instead
// of each waiting for its own deadline: handlers are few, and a queue behind them would wait many
// deadlines. Thread-safe.
class DatabaseState {
  public:
    bool is_up() const { return up_.load(std::memory_order_acquire); }

    // By a handler that got no answer or no connection; wakes the supervisor, the only one who sets
    // it up again.
    void MarkDown(std::string reason);
    void MarkUp();

    // Why it is down; empty when it is up.
    std::string reason() const;

    // For the supervisor: sleeps until somebody marks the database down or stops, at most so long.
    void WaitForTrouble(std::chrono::milliseconds at_most);
    void Stop();
    const std::atomic<bool>& stopped() const { return stopped_; }

  private:
    std::atomic<bool> up_{false};
    std::atomic<bool> stopped_{false};
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool trouble_ = false;
    std::string reason_ = "starting";
};

}  // namespace aim::data_api::database
