#include "core/base/loop.hpp"

#include <algorithm>
#include <future>
#include <utility>

#include <boost/asio/post.hpp>
#include <sched.h>

namespace aim {
namespace {

// The cores that this process may use: fewer than the machine has under taskset or in a container
// with a cpuset, which hardware_concurrency() does not see.
std::size_t UsableCores() {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    if (::sched_getaffinity(0, sizeof cores, &cores) == 0 && CPU_COUNT(&cores) > 0)
        return static_cast<std::size_t>(CPU_COUNT(&cores));
    return std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace

// The hint 1 says that one thread runs the context: no wake-ups of further threads.
Loop::Loop(std::size_t index)
    : index_(index), context_(1), keep_running_(context_.get_executor()), timers_(context_) {}

void Loop::Post(std::function<void()> action) { boost::asio::post(context_, std::move(action)); }

void Loop::Run(const std::function<void()>& action) {
    if (!thread_.joinable()) {
        action();
        return;
    }
    std::promise<void> done;
    boost::asio::post(context_, [&] {
        action();
        done.set_value();
    });
    done.get_future().wait();
}

void Loop::Work() {
    for (;;) {
        try {
            context_.run();
            return;
        } catch (...) {
            // A completion handler threw. Its operation is lost, the other thousands of the loop
            // are not.
        }
    }
}

EngineLoops::EngineLoops(std::size_t count) {
    if (count == 0) count = UsableCores();
    for (std::size_t i = 0; i < count; ++i) loops_.push_back(std::make_unique<Loop>(i));
}

void EngineLoops::Start() {
    for (auto& loop : loops_) {
        if (!loop->thread_.joinable())
            loop->thread_ = std::thread([&loop = *loop] { loop.Work(); });
    }
}

void EngineLoops::Stop() {
    for (auto& loop : loops_) {
        if (!loop->thread_.joinable()) continue;
        loop->Post([&loop = *loop] {
            loop.timers_.Stop();
            loop.context_.stop();
        });
    }
    for (auto& loop : loops_) {
        if (loop->thread_.joinable()) loop->thread_.join();
    }
}

}  // namespace aim
