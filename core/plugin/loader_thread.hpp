#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "core/base/clock.hpp"
#include "core/plugin/unique_fd.hpp"

namespace aim::plugin {

// The queue of the loader thread; outlives it, so that who lets go of a generation late finds it
// closed, not gone. Thread-safe.
class LoaderQueue {
  public:
    using Task = std::function<void()>;

    LoaderQueue();

    // Runs `task` on the loader thread, in the order of posting. False when the thread has ended:
    // the task is then dropped.
    bool Post(Task task);

    // Takes all tasks; nothing more can be posted once this returned empty after Close().
    std::deque<Task> Take();
    bool CloseIfEmpty();
    int fd() const { return wakeup_.get(); }

  private:
    std::mutex mutex_;
    std::deque<Task> tasks_;
    bool closed_ = false;
    UniqueFd wakeup_;  // an eventfd, readable while there are tasks
};

// The one thread on which plugins are loaded, initialised and taken down. Between tasks it calls
// `turn`, which does what is due and says when it wants to be called next; also after `notify_fd`
// became readable.
class LoaderThread {
  public:
    LoaderThread() : queue_(std::make_shared<LoaderQueue>()) {}
    ~LoaderThread() { Stop(); }

    void Start(int notify_fd, std::function<MonotonicTime()> turn);

    // Runs the tasks that are there and those that they post, then ends the thread. Idempotent; not
    // from the thread itself.
    void Stop();

    bool IsCurrent() const { return std::this_thread::get_id() == id_.load(); }
    const std::shared_ptr<LoaderQueue>& queue() const { return queue_; }

  private:
    void Run(int notify_fd, const std::function<MonotonicTime()>& turn);

    const std::shared_ptr<LoaderQueue> queue_;
    std::thread thread_;
    std::atomic<std::thread::id> id_{};
    std::atomic<bool> stopping_{false};
};

}  // namespace aim::plugin
