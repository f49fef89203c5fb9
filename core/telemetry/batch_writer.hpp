#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "core/telemetry/redactor.hpp"

namespace aim::telemetry {

// Carries lines from any thread to a file descriptor by a thread of its own, which sleeps while
// there is nothing to write. Append only copies into a bounded buffer under a short lock, and wakes
// nobody while a batch is being collected. Internal to core/telemetry.
class BatchWriter {
  public:
    struct Options {
        int file_descriptor = 1;  // borrowed
        std::size_t limit_bytes = 0;
        std::chrono::milliseconds interval{0};
        std::chrono::milliseconds stop_limit{1000};
        // Appends a line (with its line feed) that says how many were dropped since the last one.
        std::function<void(std::uint64_t dropped, std::string& out)> report_dropped;
    };

    BatchWriter(Options options, const Redactor& redactor);
    ~BatchWriter();  // writes what is left, at most stop_limit long
    BatchWriter(const BatchWriter&) = delete;
    BatchWriter& operator=(const BatchWriter&) = delete;

    // False when the buffer is full: the line is dropped and counted. `urgent` lines do not wait
    // for the interval.
    bool Append(std::string_view line, bool urgent);

    bool Flush(std::chrono::milliseconds timeout);
    std::uint64_t dropped() const;

  private:
    void Run();
    bool WriteAll(std::string_view bytes);
    bool WaitWritable();

    const Options options_;
    const Redactor& redactor_;
    std::size_t chunk_;

    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable written_;
    std::string pending_;
    std::uint64_t appended_lines_ = 0;
    std::uint64_t handled_lines_ = 0;  // written or lost
    std::uint64_t dropped_lines_ = 0;
    std::uint64_t reported_lines_ = 0;
    bool idle_ = false;
    bool urgent_ = false;
    bool stop_ = false;
    std::chrono::steady_clock::time_point stop_at_{};

    std::thread thread_;
};

}  // namespace aim::telemetry
