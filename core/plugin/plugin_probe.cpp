#include "core/plugin/plugin_probe.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <system_error>

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.hpp"

namespace aim::plugin {
namespace {

constexpr std::size_t kMaxVerdict = 16 * 1024;
constexpr std::size_t kMaxOutput = 4 * 1024;
constexpr std::chrono::milliseconds kStopCheck{50};

// Takes what is there without waiting; closes the pipe at its end. Text over the limit is read and
// dropped.
void Drain(UniqueFd& pipe, std::string& text, std::size_t limit) {
    std::array<char, 4096> buffer;
    while (pipe.valid()) {
        const ssize_t got = ::read(pipe.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) {
            pipe.Close();
            return;
        }
        text.append(buffer.data(), std::min(static_cast<std::size_t>(got), limit - text.size()));
    }
}

class ChildProcess final : public ProbeProcess {
  public:
    explicit ChildProcess(pid_t pid) : pid_(pid) {
        end = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    }
    ~ChildProcess() override {
        if (!ended_) Kill();
    }

    std::optional<int> Ended() override {
        int status = 0;
        pid_t got;
        do {
            got = ::waitpid(pid_, &status, WNOHANG);
        } while (got < 0 && errno == EINTR);
        if (got == 0) return std::nullopt;
        ended_ = true;
        return status;
    }

    void Kill() override {
        ::kill(-pid_, SIGKILL);
        if (ended_) return;
        ::kill(pid_, SIGKILL);
        while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
        }
        ended_ = true;
    }

  private:
    const pid_t pid_;
    bool ended_ = false;
};

std::string SaidSuffix(const std::string& output) {
    if (output.empty()) return {};
    return "; it said: " + Printable(output, 400);
}

ProbeVerdict Judge(int status, const std::string& verdict_text, const std::string& output) {
    if (WIFSIGNALED(status)) {
        const int signal = WTERMSIG(status);
        if (signal == SIGXCPU || signal == SIGKILL) {
            return ProbeVerdict::Refused(
                RefusalReason::kProbeTimeout,
                "the probe was killed for using too much time or memory" + SaidSuffix(output));
        }
        const char* const name = ::sigabbrev_np(signal);
        return ProbeVerdict::Refused(RefusalReason::kProbeCrashed,
                                     "the plugin crashed in the probe with signal " +
                                         std::to_string(signal) + " (SIG" +
                                         (name != nullptr ? name : "?") + ")" + SaidSuffix(output));
    }
    const std::size_t end = verdict_text.find('\n');
    if (end != std::string::npos) {
        if (auto verdict = ParseProbeVerdict(std::string_view(verdict_text).substr(0, end))) {
            // Only the plugin knows why, and what it logged in the probe goes nowhere else.
            if (verdict->refusal && verdict->refusal->reason == RefusalReason::kInitFailed)
                verdict->refusal->message += SaidSuffix(output);
            return *verdict;
        }
    }
    return ProbeVerdict::Refused(
        RefusalReason::kProbeFailed,
        "the plugin ended the probe with exit code " + std::to_string(WEXITSTATUS(status)) +
            " before its verdict; a plugin must not call exit" + SaidSuffix(output));
}

}  // namespace

ProbeResult ProcessProbe::Probe(const std::filesystem::path& staged, std::stop_token stop) {
    const MonotonicTime deadline = SystemClock().Now() + time_limit_;
    ProbeResult result;
    int error = 0;
    const std::unique_ptr<ProbeProcess> process = Begin(staged.string(), error);
    if (process == nullptr) {
        result.conclusive = false;
        result.verdict = ProbeVerdict::Refused(
            RefusalReason::kProbeFailed,
            "the probe program " + Printable(program_.string(), 400) +
                " cannot be started: " + std::generic_category().message(error) +
                "; it belongs beside this process's own, or AIM_PROBE names it");
        return result;
    }
    std::string verdict_text;
    std::optional<int> status;
    while (true) {
        Drain(process->verdict, verdict_text, kMaxVerdict);
        Drain(process->output, result.output, kMaxOutput);
        status = process->Ended();
        if (status) break;
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline - SystemClock().Now());
        if (left.count() <= 0 || stop.stop_requested()) {
            process->Kill();
            result.conclusive = !stop.stop_requested();
            result.verdict = ProbeVerdict::Refused(
                RefusalReason::kProbeTimeout, "the plugin did not finish within " +
                                                  std::to_string(time_limit_.count()) +
                                                  " ms in the probe" + SaidSuffix(result.output));
            return result;
        }
        std::array<pollfd, 3> waits = {{{process->verdict.get(), POLLIN, 0},
                                        {process->output.get(), POLLIN, 0},
                                        {process->end.get(), POLLIN, 0}}};
        // Without a pidfd (an old kernel) the child's end is found by asking often.
        const auto longest = process->end.valid() ? kStopCheck : std::chrono::milliseconds(5);
        ::poll(waits.data(), waits.size(), static_cast<int>(std::min(left, longest).count()));
    }
    process->Kill();  // whatever the plugin left behind
    Drain(process->verdict, verdict_text, kMaxVerdict);
    Drain(process->output, result.output, kMaxOutput);
    result.verdict = Judge(*status, verdict_text, result.output);
    return result;
}

std::string ProcessProbe::Identity() const {
    struct stat status {};
    if (::stat(program_.c_str(), &status) != 0) return "none";
    return std::to_string(status.st_size) + "-" + std::to_string(status.st_mtim.tv_sec) + "." +
           std::to_string(status.st_mtim.tv_nsec);
}

std::filesystem::path ProcessProbe::DefaultProgram() {
    if (const char* named = std::getenv("AIM_PROBE"); named != nullptr && *named != '\0')
        return named;
    std::error_code error;
    return std::filesystem::read_symlink("/proc/self/exe", error).parent_path() / "aimanager";
}

std::unique_ptr<ProbeProcess> SpawnedProbe::Begin(const std::string& file, int& error) {
    auto verdict = MakeProbePipe();
    auto output = MakeProbePipe();
    if (!verdict || !output) {
        error = errno;
        return nullptr;
    }
    const std::array<std::pair<int, int>, 3> descriptors = {{{output->write.get(), STDOUT_FILENO},
                                                             {output->write.get(), STDERR_FILENO},
                                                             {verdict->write.get(), 3}}};
    pid_t pid = -1;
    error = SpawnClean({program_.string(), "plugin", "check", "--probe", "--verdict-fd", "3", file},
                       descriptors, pid);
    if (error != 0) return nullptr;
    auto process = std::make_unique<ChildProcess>(pid);
    process->verdict = std::move(verdict->read);
    process->output = std::move(output->read);
    return process;
}

}  // namespace aim::plugin
