#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

namespace aim {

// A queue between threads with a limit. TryPush never waits: a full queue refuses, and the caller
// says what that means. Thread-safe.
template <typename T>
class BoundedQueue {
  public:
    explicit BoundedQueue(std::size_t limit) : limit_(limit) {}

    // False when the queue is full or closed; `item` is then untouched.
    bool TryPush(T&& item) {
        {
            const std::lock_guard lock(mutex_);
            if (closed_ || items_.size() >= limit_) return false;
            items_.push_back(std::move(item));
        }
        ready_.notify_one();
        return true;
    }

    // Waits up to `timeout` for something, then takes up to `most` items. Empty when nothing came
    // or the queue is closed and drained.
    template <typename Duration>
    std::vector<T> PopSome(std::size_t most, Duration timeout) {
        std::unique_lock lock(mutex_);
        ready_.wait_for(lock, timeout, [this] { return closed_ || !items_.empty(); });
        std::vector<T> taken;
        while (!items_.empty() && taken.size() < most) {
            taken.push_back(std::move(items_.front()));
            items_.pop_front();
        }
        return taken;
    }

    // No more pushes; what is inside can still be taken.
    void Close() {
        {
            const std::lock_guard lock(mutex_);
            closed_ = true;
        }
        ready_.notify_all();
    }

    std::size_t size() const {
        const std::lock_guard lock(mutex_);
        return items_.size();
    }
    bool closed() const {
        const std::lock_guard lock(mutex_);
        return closed_;
    }
    std::size_t limit() const { return limit_; }

  private:
    const std::size_t limit_;
    mutable std::mutex mutex_;
    std::condition_variable ready_;
    std::deque<T> items_;
    bool closed_ = false;
};

}  // namespace aim
