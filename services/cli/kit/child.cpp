#include "services/cli/kit/child.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.hpp"
#include "core/plugin/unique_fd.hpp"
#include "services/cli/child_limits.hpp"
#include "services/cli/kit/progress.hpp"

namespace aim::cli::kit {
namespace {

// The pipe's end in a child; -1 in the process that asked.
int verdict_fd = -1;

constexpr char kProgress = '@';

// A line of the pipe: a mark for the outcome, then the message without line ends.
void Write(char mark, std::string message) {
    for (char& c : message) {
        if (c == '\n' || c == '\r') c = ' ';
    }
    message = mark + message.substr(0, 4000) + "\n";
    for (std::size_t at = 0; at < message.size();) {
        const ssize_t written = ::write(verdict_fd, message.data() + at, message.size() - at);
        if (written < 0 && errno != EINTR) return;
        if (written > 0) at += static_cast<std::size_t>(written);
    }
}

char MarkOf(Outcome outcome) {
    return outcome == Outcome::kPass ? 'P' : outcome == Outcome::kFail ? 'F' : 'S';
}

// NOLINTBEGIN(concurrency-mt-unsafe): a freshly forked child has one thread
[[noreturn]] void BeTheChild(const std::function<Finding()>& check, int write_end,
                             std::chrono::milliseconds limit) {
    verdict_fd = write_end;
    // Keys of whoever runs this are no business of a plugin that is being checked. Where coverage
    // is measured, its file is.
    const char* const profile = std::getenv("LLVM_PROFILE_FILE");
    const std::string kept = profile != nullptr ? profile : "";
    ::clearenv();
    if (!kept.empty()) ::setenv("LLVM_PROFILE_FILE", kept.c_str(), 1);
    ::setenv("PATH", "/usr/bin:/bin", 1);
    ::setenv("LANG", "C.UTF-8", 1);
    // What plugins print is not this program's answer.
    ::dup2(STDERR_FILENO, STDOUT_FILENO);
    // The parent's time limit comes first and says where; this holds when the parent is gone.
    LimitThisProcess(std::chrono::ceil<std::chrono::seconds>(limit) + std::chrono::seconds(2));
    Finding finding;
    try {
        finding = check();
    } catch (const std::exception& error) {
        finding = Fail(std::string("an exception left a function of the plugin or the kit: ") +
                       error.what());
    } catch (...) {
        finding = Fail("an exception left a function of the plugin: catch it inside");
    }
    Write(MarkOf(finding.outcome), finding.message);
    // The regular end: exit handlers and destructors of the plugin run, too, and must not crash.
    std::exit(0);
}

// NOLINTEND(concurrency-mt-unsafe)

struct Report {
    std::string pending;
    std::string progress;
    std::optional<Finding> finding;

    void Take(std::string_view bytes) {
        pending += bytes;
        for (std::size_t end; (end = pending.find('\n')) != std::string::npos;) {
            const std::string line = pending.substr(0, end);
            pending.erase(0, end + 1);
            if (line.empty()) continue;
            const std::string message = line.substr(1);
            if (line[0] == kProgress) progress = message;
            if (line[0] == 'P') finding = Pass();
            if (line[0] == 'F') finding = Fail(message);
            if (line[0] == 'S') finding = Skip(message);
        }
    }
    std::string Where() const { return progress.empty() ? "" : " at " + progress; }
};

Finding Judge(int status, const Report& report) {
    if (WIFSIGNALED(status)) {
        const int number = WTERMSIG(status);
        const char* const name = ::sigabbrev_np(number);
        const std::string signal = std::string("signal ") + std::to_string(number) + " (SIG" +
                                   (name != nullptr ? name : "?") + ")";
        if (report.finding)
            return Fail("the process died by " + signal +
                        " while it ended: no exit handlers, no static objects that need one");
        if (number == SIGXCPU)
            return Fail("the plugin used more CPU time than a check may" + report.Where());
        return Fail("the plugin crashed the check's process by " + signal + report.Where());
    }
    if (!report.finding)
        return Fail("the plugin ended the process with exit code " +
                    std::to_string(WEXITSTATUS(status)) + report.Where() +
                    ": it must not call exit");
    if (WEXITSTATUS(status) != 0 && report.finding->outcome == Outcome::kPass)
        return Fail("the process ended with exit code " + std::to_string(WEXITSTATUS(status)) +
                    " (a sanitizer's report is on the standard error)");
    return *report.finding;
}

}  // namespace

void ReportProgress(const std::string& where) {
    if (verdict_fd >= 0) Write(kProgress, where);
}

Finding RunInChild(const std::function<Finding()>& check, std::chrono::milliseconds limit) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return Fail("a pipe cannot be made");
    plugin::UniqueFd read_end(ends[0]);
    plugin::UniqueFd write_end(ends[1]);
    std::fflush(nullptr);
    const pid_t pid = ::fork();
    if (pid < 0) return Fail("a child process cannot be made: errno " + std::to_string(errno));
    if (pid == 0) {
        ::setpgid(0, 0);
        read_end.Close();
        BeTheChild(check, write_end.get(), limit);
    }
    ::setpgid(pid, pid);
    write_end.Close();
    const Clock& clock = SystemClock();
    const MonotonicTime deadline = clock.Now() + limit;
    Report report;
    // The pipe is open as long as the child or something that it started lives.
    while (true) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock.Now());
        pollfd wait{read_end.get(), POLLIN, 0};
        if (left.count() <= 0 || ::poll(&wait, 1, static_cast<int>(left.count())) == 0) {
            ::kill(-pid, SIGKILL);
            ::waitpid(pid, nullptr, 0);
            return Fail("the check did not end within " + std::to_string(limit.count()) + " ms" +
                        report.Where());
        }
        std::array<char, 4096> buffer;
        const ssize_t got = ::read(read_end.get(), buffer.data(), buffer.size());
        if (got > 0) report.Take({buffer.data(), static_cast<std::size_t>(got)});
        if (got == 0) break;
    }
    // A plugin may have closed the pipe and gone on.
    const plugin::UniqueFd exit_fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    int status = 0;
    while (::waitpid(pid, &status, WNOHANG) == 0) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock.Now());
        if (left.count() <= 0) {
            ::kill(-pid, SIGKILL);
            ::waitpid(pid, nullptr, 0);
            return Fail("the check's process did not end within " + std::to_string(limit.count()) +
                        " ms");
        }
        pollfd wait{exit_fd.get(), POLLIN, 0};
        // Without a pidfd (an old kernel) the end is found by asking often.
        ::poll(&wait, 1, exit_fd.valid() ? static_cast<int>(left.count()) : 5);
    }
    ::kill(-pid, SIGKILL);  // whatever the plugin left behind
    return Judge(status, report);
}

}  // namespace aim::cli::kit
