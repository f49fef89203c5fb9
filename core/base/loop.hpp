#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "core/base/task.hpp"
#include "core/base/timer_queue.hpp"

namespace aim {

// One engine thread's event loop and its deadlines. What belongs to a loop (sockets, timers, pools)
// is made, used and destroyed on its thread, or while no thread runs it.
class Loop {
  public:
    explicit Loop(std::size_t index);
    // Ends every coroutine that still waits on the loop, while the deadlines it may hold are still
    // there.
    ~Loop() { context_.Shutdown(); }
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    std::size_t index() const { return index_; }
    boost::asio::io_context& context() { return context_; }
    Executor executor() { return context_.get_executor(); }
    TimerQueue& timers() { return timers_; }

    // Whether a thread runs the loop. Asked by who starts and stops the loops.
    bool running() const { return thread_.joinable(); }

    // Runs `action` on the loop, soon. From any thread.
    void Post(std::function<void()> action);

    // Runs `action` on the loop and waits for it. From any thread but an engine's; when the loop
    // does not run (any more), the caller's thread takes its place.
    void Run(const std::function<void()>& action);

  private:
    friend class EngineLoops;
    struct Context : boost::asio::io_context {
        using boost::asio::io_context::io_context;
        void Shutdown() { shutdown(); }
    };
    void Work();

    const std::size_t index_;
    Context context_;
    boost::asio::executor_work_guard<Executor> keep_running_;
    TimerQueue timers_;
    std::thread thread_;
};

// The engine's threads, one loop each. Everything that lives on the loops is stopped before Stop(),
// and outlived by this.
class EngineLoops {
  public:
    // `count` 0 means one for each core that the calling thread may use. The loops do not run
    // before Start(), so that their objects can be made in peace. `slice` is how long a thread
    // wants a core at a time: with a short one Linux (6.12 and later, EEVDF) lets it have the core
    // sooner after it wakes. It is a wish: where it is not granted nothing else changes. 0 leaves
    // the machine's default, some milliseconds.
    explicit EngineLoops(std::size_t count = 0, std::chrono::microseconds slice = {});
    ~EngineLoops() { Stop(); }
    EngineLoops(const EngineLoops&) = delete;
    EngineLoops& operator=(const EngineLoops&) = delete;

    void Start();

    // Ends the threads after what they are doing now, and waits for them. Idempotent. What still
    // waits on a loop never resumes.
    void Stop();

    std::size_t size() const { return loops_.size(); }
    Loop& operator[](std::size_t index) { return *loops_[index]; }

  private:
    const std::chrono::microseconds slice_;
    std::vector<std::unique_ptr<Loop>> loops_;
};

}  // namespace aim
