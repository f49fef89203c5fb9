#include "core/plugin/loader_thread.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>
#include <utility>

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>

namespace aim::plugin {

LoaderQueue::LoaderQueue() : wakeup_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (!wakeup_.valid()) throw std::system_error(errno, std::generic_category(), "eventfd");
}

bool LoaderQueue::Post(Task task) {
    {
        const std::lock_guard lock(mutex_);
        if (closed_) return false;
        tasks_.push_back(std::move(task));
    }
    const std::uint64_t one = 1;
    // Fails only when the counter is full, and then the thread is awake.
    [[maybe_unused]] const ssize_t written = ::write(wakeup_.get(), &one, sizeof(one));
    return true;
}

std::deque<LoaderQueue::Task> LoaderQueue::Take() {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = ::read(wakeup_.get(), &count, sizeof(count));
    const std::lock_guard lock(mutex_);
    return std::exchange(tasks_, {});
}

bool LoaderQueue::CloseIfEmpty() {
    const std::lock_guard lock(mutex_);
    closed_ = tasks_.empty();
    return closed_;
}

void LoaderThread::Start(int notify_fd, std::function<MonotonicTime()> turn) {
    thread_ = std::thread([this, notify_fd, turn = std::move(turn)] { Run(notify_fd, turn); });
    ::pthread_setname_np(thread_.native_handle(), "plugin-loader");
}

void LoaderThread::Stop() {
    if (!thread_.joinable()) return;
    stopping_.store(true);
    queue_->Post([] {});
    thread_.join();
}

void LoaderThread::Run(int notify_fd, const std::function<MonotonicTime()>& turn) {
    id_.store(std::this_thread::get_id());
    while (true) {
        // One at a time, so that what a task holds is let go before the next one runs.
        for (std::deque<LoaderQueue::Task> tasks = queue_->Take(); !tasks.empty();
             tasks.pop_front())
            tasks.front()();
        if (stopping_.load()) {
            if (queue_->CloseIfEmpty()) return;
            continue;
        }
        const MonotonicTime next = turn();
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - SystemClock().Now());
        const auto timeout = std::clamp<std::int64_t>(left.count(), 0, 60'000);
        std::array<pollfd, 2> waits = {{{queue_->fd(), POLLIN, 0}, {notify_fd, POLLIN, 0}}};
        ::poll(waits.data(), waits.size(), static_cast<int>(timeout));
    }
}

}  // namespace aim::plugin
