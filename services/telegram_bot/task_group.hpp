#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <utility>

#include <boost/asio/co_spawn.hpp>

#include "core/base/task.hpp"

namespace aim::telegram_bot {

// The coroutines that run beside one another on one loop, counted, so that their owner can wait for
// all of them before what they use goes. Spawn on the loop's thread; running() from any.
class TaskGroup {
  public:
    explicit TaskGroup(const Executor& executor) : executor_(executor) {}
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    // It begins at once or soon. Tasks report failure by themselves; what they throw (memory is
    // short) ends them alone.
    void Spawn(Task<> task) {
        running_.fetch_add(1);
        boost::asio::co_spawn(executor_, std::move(task),
                              [this](const std::exception_ptr&) { running_.fetch_sub(1); });
    }

    std::size_t running() const { return running_.load(); }

  private:
    const Executor executor_;
    std::atomic<std::size_t> running_{0};
};

}  // namespace aim::telegram_bot
