#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <sys/types.h>

namespace aim::test {

// One of our binaries as a child process: started with exactly the given environment (and PATH, and
// the sanitizers' options), its output captured, killed at the latest when the object goes or when
// the test's process dies. Methods are for one thread.
class ProcessFixture {
  public:
    struct Spec {
        std::string program;  // a path
        std::vector<std::string> arguments = {};
        std::map<std::string, std::string> environment = {};
    };

    explicit ProcessFixture(Spec spec);
    ~ProcessFixture();  // SIGKILL when it still runs
    ProcessFixture(const ProcessFixture&) = delete;
    ProcessFixture& operator=(const ProcessFixture&) = delete;

    // True when `condition` held within the time while the process ran.
    bool WaitUntil(const std::function<bool()>& condition,
                   std::chrono::milliseconds time = std::chrono::seconds(20));
    // Until the output (stdout and stderr) contains the text.
    bool WaitForOutput(const std::string& text,
                       std::chrono::milliseconds time = std::chrono::seconds(20));
    // Until GET `path` answers 200.
    bool WaitForHttp(std::uint16_t port, const std::string& path,
                     std::chrono::milliseconds time = std::chrono::seconds(20));
    // The number behind `"port":` in the output's line with `event` in it: what a process that was
    // given port 0 logged.
    std::optional<std::uint16_t> WaitForPort(
        const std::string& event, std::chrono::milliseconds time = std::chrono::seconds(20));

    void Signal(int number) const;
    // Waits for the end and for the last of the output; nullopt when the end does not come in time.
    // Exit status, or 128 + the signal's number.
    std::optional<int> WaitForExit(std::chrono::milliseconds time = std::chrono::seconds(20));
    // SIGTERM, then WaitForExit.
    std::optional<int> Terminate(std::chrono::milliseconds time = std::chrono::seconds(20));
    void Kill();

    pid_t pid() const { return pid_; }
    std::string output() const;

  private:
    // What an ended process wrote last may still be in the pipe, which a child of its own can hold
    // open: hence only a few seconds.
    void ReadToTheEnd() const;
    bool HasExited();
    void Capture(int descriptor);

    pid_t pid_ = -1;
    std::optional<int> status_;
    mutable std::mutex mutex_;
    std::string output_;
    std::atomic<bool> read_to_the_end_{false};
    std::thread reader_;
};

// A port that was free a moment ago, for processes that cannot be given port 0.
std::uint16_t FreePort();

}  // namespace aim::test
