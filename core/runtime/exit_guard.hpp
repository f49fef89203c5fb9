#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "core/telemetry/json_line_logger.hpp"

namespace aim::runtime {

// Ends a process that was told to end and cannot: a call into a plugin that does not return keeps
// its loop, and all that waits for that loop. What was answered is in the journal, which outlives
// every kind of end. Made after the logger and before what may get stuck. Not thread-safe.
class ExitGuard {
  public:
    static constexpr int kExitStatus = 1;

    // `logger` outlives the guard.
    explicit ExitGuard(telemetry::JsonLineLogger& logger) : logger_(logger) {}
    ~ExitGuard();
    ExitGuard(const ExitGuard&) = delete;
    ExitGuard& operator=(const ExitGuard&) = delete;

    // From now on the guard has to be destroyed within `limit`; else one line in the log
    // (exit_forced) and the process is over, without any destructor. Once.
    void Arm(std::chrono::milliseconds limit);

  private:
    telemetry::JsonLineLogger& logger_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool ended_ = false;
    std::thread thread_;
};

}  // namespace aim::runtime
