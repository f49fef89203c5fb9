#include "core/runtime/exit_guard.hpp"

#include <unistd.h>

namespace aim::runtime {
namespace {

constexpr std::chrono::milliseconds kLastWords{500};

}  // namespace

ExitGuard::~ExitGuard() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        ended_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void ExitGuard::Arm(std::chrono::milliseconds limit) {
    if (thread_.joinable()) return;
    thread_ = std::thread([this, limit] {
        std::unique_lock lock(mutex_);
        if (wake_.wait_for(lock, limit, [this] { return ended_; })) return;
        logger_.Error("exit_forced",
                      "The process did not end in time and is ended now; a loop_stalled line "
                      "before names the plugin that keeps a loop, if one does",
                      {{"limit_ms", limit.count()}});
        logger_.Flush(kLastWords);
        ::_exit(kExitStatus);
    });
}

}  // namespace aim::runtime
