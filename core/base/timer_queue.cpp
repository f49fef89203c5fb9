#include "core/base/timer_queue.hpp"

#include <boost/system/error_code.hpp>

namespace aim {

void TimerQueue::Timer::ArmAt(MonotonicTime deadline) {
    if (armed()) queue_.Remove(this);
    deadline_ = deadline;
    queue_.Insert(this);
}

void TimerQueue::Timer::ArmAfter(std::chrono::milliseconds delay) {
    ArmAt(std::chrono::steady_clock::now() + delay);
}

void TimerQueue::Timer::Disarm() {
    if (armed()) queue_.Remove(this);
}

TimerQueue::TimerQueue(boost::asio::io_context& loop) : wakeup_(loop.get_executor()) {}

void TimerQueue::Stop() {
    stopped_ = true;
    wakeup_.cancel();
}

Task<> TimerQueue::Sleep(std::chrono::milliseconds delay) {
    LoopTimer timer(wakeup_.get_executor(), delay);
    co_await timer.async_wait(kUseTask);
}

void TimerQueue::Place(std::size_t position, Timer* timer) {
    heap_[position] = timer;
    timer->position_ = position;
}

void TimerQueue::SiftUp(std::size_t position) {
    Timer* timer = heap_[position];
    while (position > 0) {
        const std::size_t parent = (position - 1) / 2;
        if (heap_[parent]->deadline_ <= timer->deadline_) break;
        Place(position, heap_[parent]);
        position = parent;
    }
    Place(position, timer);
}

void TimerQueue::SiftDown(std::size_t position) {
    Timer* timer = heap_[position];
    for (;;) {
        std::size_t child = 2 * position + 1;
        if (child >= heap_.size()) break;
        if (child + 1 < heap_.size() && heap_[child + 1]->deadline_ < heap_[child]->deadline_)
            ++child;
        if (timer->deadline_ <= heap_[child]->deadline_) break;
        Place(position, heap_[child]);
        position = child;
    }
    Place(position, timer);
}

void TimerQueue::Insert(Timer* timer) {
    heap_.push_back(timer);
    timer->position_ = heap_.size() - 1;
    SiftUp(timer->position_);
    if (timer->deadline_ < waiting_for_) Wait();
}

void TimerQueue::Remove(Timer* timer) {
    const std::size_t position = timer->position_;
    timer->position_ = Timer::kIdle;
    Timer* last = heap_.back();
    heap_.pop_back();
    if (last == timer) return;
    Place(position, last);
    SiftUp(position);
    SiftDown(last->position_);
}

void TimerQueue::Wait() {
    if (stopped_ || heap_.empty()) return;
    waiting_for_ = heap_.front()->deadline_;
    wakeup_.expires_at(waiting_for_);
    wakeup_.async_wait([this](const boost::system::error_code& error) {
        if (!error) Expire();
    });
}

void TimerQueue::Expire() {
    waiting_for_ = MonotonicTime::max();
    const MonotonicTime now = std::chrono::steady_clock::now();
    while (!heap_.empty() && heap_.front()->deadline_ <= now) {
        Timer* timer = heap_.front();
        Remove(timer);
        timer->on_expiry_();
    }
    if (!heap_.empty() && heap_.front()->deadline_ < waiting_for_) Wait();
}

}  // namespace aim
