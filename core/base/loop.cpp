#include "core/base/loop.hpp"

#include <algorithm>
#include <cstdint>
#include <future>
#include <utility>

#include <boost/asio/post.hpp>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

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

// sched_setattr(2)'s structure in its first form; glibc has neither it nor the call before 2.41.
struct SchedulingAttributes {
    std::uint32_t size = sizeof(SchedulingAttributes);
    std::uint32_t policy = 0;
    std::uint64_t flags = 0;
    std::int32_t nice = 0;
    std::uint32_t priority = 0;
    std::uint64_t runtime = 0;  // for SCHED_OTHER the slice, ns
    std::uint64_t deadline = 0;
    std::uint64_t period = 0;
};

// For the calling thread. What an operator has set (chrt, nice) stays.
void RequestSlice(std::chrono::nanoseconds slice) {
    SchedulingAttributes attributes;
    if (::syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0 ||
        attributes.policy != SCHED_OTHER)
        return;
    attributes.runtime = static_cast<std::uint64_t>(slice.count());
    ::syscall(SYS_sched_setattr, 0, &attributes, 0);
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

EngineLoops::EngineLoops(std::size_t count, std::chrono::microseconds slice) : slice_(slice) {
    if (count == 0) count = UsableCores();
    for (std::size_t i = 0; i < count; ++i) loops_.push_back(std::make_unique<Loop>(i));
}

void EngineLoops::Start() {
    for (auto& loop : loops_) {
        if (!loop->thread_.joinable())
            loop->thread_ = std::thread([&loop = *loop, slice = slice_] {
                if (slice.count() > 0) RequestSlice(slice);
                loop.Work();
            });
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
