#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <vector>

#include <boost/asio/basic_waitable_timer.hpp>

#include "core/base/clock.hpp"
#include "core/base/task.hpp"

namespace aim {

// All deadlines of one loop. Every exchange arms and disarms several timers, nearly none of which
// fires; so arming costs a heap insertion in memory and no system call unless the new deadline is
// earlier than the one the loop sleeps for. One loop's thread only. Callbacks run on the loop, from
// the queue, not from within Arm().
class TimerQueue {
  public:
    // One deadline. Disarms itself when destroyed; must not outlive the queue.
    class Timer {
      public:
        Timer(TimerQueue& queue, std::function<void()> on_expiry)
            : queue_(queue), on_expiry_(std::move(on_expiry)) {}
        ~Timer() { Disarm(); }
        Timer(const Timer&) = delete;
        Timer& operator=(const Timer&) = delete;

        // Fires once at `deadline`; an armed timer is moved.
        void ArmAt(MonotonicTime deadline);
        void ArmAfter(std::chrono::milliseconds delay);
        void Disarm();
        bool armed() const { return position_ != kIdle; }
        MonotonicTime deadline() const { return deadline_; }

      private:
        friend class TimerQueue;
        static constexpr std::size_t kIdle = static_cast<std::size_t>(-1);

        TimerQueue& queue_;
        std::function<void()> on_expiry_;
        MonotonicTime deadline_{};
        std::size_t position_ = kIdle;
    };

    explicit TimerQueue(boost::asio::io_context& loop);

    std::size_t size() const { return heap_.size(); }

    // Stops waiting, so that the loop can run out of work. Armed timers stay armed but do not fire
    // any more.
    void Stop();

    // Suspends the calling coroutine for `delay`.
    Task<> Sleep(std::chrono::milliseconds delay);

  private:
    using LoopTimer = boost::asio::basic_waitable_timer<
        std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

    void Insert(Timer* timer);
    void Remove(Timer* timer);
    void SiftUp(std::size_t position);
    void SiftDown(std::size_t position);
    void Place(std::size_t position, Timer* timer);
    void Wait();
    void Expire();

    LoopTimer wakeup_;
    MonotonicTime waiting_for_ = MonotonicTime::max();
    bool stopped_ = false;
    std::vector<Timer*> heap_;  // by deadline, earliest first
};

}  // namespace aim
