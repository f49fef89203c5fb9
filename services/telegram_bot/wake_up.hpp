#pragma once

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/redirect_error.hpp>

#include "core/base/cancellation.hpp"
#include "core/base/clock.hpp"
#include "core/base/task.hpp"

namespace aim::telegram_bot {

// Lets one coroutine sleep until a time, or until somebody on its loop has news for it. News that
// come while nobody sleeps end the next sleep at once. One loop's thread; outlives its sleeper.
class WakeUp {
  public:
    explicit WakeUp(const Executor& executor) : timer_(executor) {}
    WakeUp(const WakeUp&) = delete;
    WakeUp& operator=(const WakeUp&) = delete;

    void Set() {
        set_ = true;
        timer_.cancel();
    }

    Task<> WaitUntil(MonotonicTime time) {
        if (!set_) {
            boost::system::error_code ignored;
            timer_.expires_at(time);
            auto token = boost::asio::redirect_error(kUseTask, ignored);
            co_await timer_.async_wait(token);
        }
        set_ = false;
    }

  private:
    boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                      boost::asio::wait_traits<std::chrono::steady_clock>, Executor>
        timer_;
    bool set_ = false;
};

// Sleeps; false when the cancellation was raised before the time was over.
inline Task<bool> Pause(Executor executor, std::chrono::milliseconds time,
                        Cancellation& cancellation) {
    if (cancellation.IsCancelled()) co_return false;
    WakeUp wake_up(executor);
    Cancellation::Listener listener(cancellation, [&wake_up] { wake_up.Set(); });
    const MonotonicTime end = std::chrono::steady_clock::now() + time;
    co_await wake_up.WaitUntil(end);
    co_return !cancellation.IsCancelled();
}

}  // namespace aim::telegram_bot
