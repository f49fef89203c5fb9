#include "core/plugin/plugin_probe.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.hpp"
#include "core/plugin/unique_fd.hpp"

namespace aim::plugin {
namespace {

constexpr std::size_t kMaxVerdict = 16 * 1024;
constexpr std::size_t kMaxOutput = 4 * 1024;
constexpr std::chrono::milliseconds kStopCheck{50};

struct Pipe {
    UniqueFd read;
    UniqueFd write;
};

std::optional<Pipe> MakePipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return std::nullopt;
    Pipe made;
    made.read = UniqueFd(ends[0]);
    made.write = UniqueFd(ends[1]);
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return made;
}

// Nothing of our environment reaches a plugin that nobody has tried yet: it holds keys. What test
// builds need to write their reports is kept, and their signal handlers are switched off, so that a
// crash looks like one.
std::vector<std::string> ProbeEnvironment() {
    std::vector<std::string> environment = {"PATH=/usr/bin:/bin", "LANG=C.UTF-8"};
    for (const char* name : {"LLVM_PROFILE_FILE"}) {
        if (const char* value = std::getenv(name))
            environment.push_back(std::string(name) + "=" + value);
    }
    for (const char* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"}) {
        const char* const value = std::getenv(name);
        environment.push_back(
            std::string(name) + "=" + (value != nullptr ? value : "") +
            ":handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:handle_abort=0"
            ":abort_on_error=1:detect_leaks=0");
    }
    return environment;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    pointers.reserve(texts.size() + 1);
    for (std::string& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

// The child and our ends of its pipes. Descriptor 3 takes the verdict, so that a plugin that prints
// cannot forge one by accident; 1 and 2 are its output.
struct Child {
    pid_t pid = -1;
    UniqueFd verdict;
    UniqueFd output;
    UniqueFd exit;  // a pidfd: readable once the child has ended
};

// 0 or an errno.
int Spawn(const std::string& program, const std::string& file, Child& child) {
    auto verdict = MakePipe();
    auto output = MakePipe();
    if (!verdict || !output) return errno;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    // dup2 to a number that is the same would keep close-on-exec, so the sources are moved out of
    // the way first.
    const UniqueFd verdict_end(::fcntl(verdict->write.get(), F_DUPFD_CLOEXEC, 10));
    const UniqueFd output_end(::fcntl(output->write.get(), F_DUPFD_CLOEXEC, 10));
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, output_end.get(), 1);
    ::posix_spawn_file_actions_adddup2(&actions, output_end.get(), 2);
    ::posix_spawn_file_actions_adddup2(&actions, verdict_end.get(), 3);
    ::posix_spawn_file_actions_addclosefrom_np(&actions, 4);
    sigset_t all;
    sigset_t none;
    ::sigfillset(&all);
    ::sigdelset(&all, SIGKILL);
    ::sigdelset(&all, SIGSTOP);
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    ::posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);

    std::vector<std::string> arguments = {program,        "plugin", "check", "--probe",
                                          "--verdict-fd", "3",      file};
    std::vector<std::string> environment = ProbeEnvironment();
    const int error = ::posix_spawn(&child.pid, program.c_str(), &actions, &attributes,
                                    Pointers(arguments).data(), Pointers(environment).data());
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    if (error != 0) return error;
    child.verdict = std::move(verdict->read);
    child.output = std::move(output->read);
    child.exit = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, child.pid, 0)));
    return 0;
}

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

bool HasEnded(pid_t pid, int& status) {
    pid_t got;
    do {
        got = ::waitpid(pid, &status, WNOHANG);
    } while (got < 0 && errno == EINTR);
    return got != 0;
}

void KillGroup(pid_t pid, int& status) {
    ::kill(-pid, SIGKILL);
    ::kill(pid, SIGKILL);
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
}

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
        if (auto verdict = ParseProbeVerdict(std::string_view(verdict_text).substr(0, end)))
            return *verdict;
    }
    return ProbeVerdict::Refused(
        RefusalReason::kProbeFailed,
        "the plugin ended the probe with exit code " + std::to_string(WEXITSTATUS(status)) +
            " before its verdict; a plugin must not call exit" + SaidSuffix(output));
}

}  // namespace

ProbeResult SpawnedProbe::Probe(const std::filesystem::path& staged, std::stop_token stop) {
    const MonotonicTime deadline = SystemClock().Now() + time_limit_;
    ProbeResult result;
    Child child;
    if (const int error = Spawn(program_.string(), staged.string(), child); error != 0) {
        result.conclusive = false;
        result.verdict = ProbeVerdict::Refused(
            RefusalReason::kProbeFailed,
            "the probe program " + Printable(program_.string(), 400) +
                " cannot be started: " + std::generic_category().message(error) +
                "; it belongs beside this process's own, or AIM_PROBE names it");
        return result;
    }
    std::string verdict_text;
    int status = 0;
    while (true) {
        Drain(child.verdict, verdict_text, kMaxVerdict);
        Drain(child.output, result.output, kMaxOutput);
        if (HasEnded(child.pid, status)) break;
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline - SystemClock().Now());
        if (left.count() <= 0 || stop.stop_requested()) {
            KillGroup(child.pid, status);
            result.conclusive = !stop.stop_requested();
            result.verdict = ProbeVerdict::Refused(
                RefusalReason::kProbeTimeout, "the plugin did not finish within " +
                                                  std::to_string(time_limit_.count()) +
                                                  " ms in the probe" + SaidSuffix(result.output));
            return result;
        }
        std::array<pollfd, 3> waits = {{{child.verdict.get(), POLLIN, 0},
                                        {child.output.get(), POLLIN, 0},
                                        {child.exit.get(), POLLIN, 0}}};
        // Without a pidfd (an old kernel) the child's end is found by asking often.
        const auto longest = child.exit.valid() ? kStopCheck : std::chrono::milliseconds(5);
        ::poll(waits.data(), waits.size(), static_cast<int>(std::min(left, longest).count()));
    }
    ::kill(-child.pid, SIGKILL);  // whatever the plugin left behind
    Drain(child.verdict, verdict_text, kMaxVerdict);
    Drain(child.output, result.output, kMaxOutput);
    result.verdict = Judge(status, verdict_text, result.output);
    return result;
}

std::string SpawnedProbe::Identity() const {
    struct stat status {};
    if (::stat(program_.c_str(), &status) != 0) return "none";
    return std::to_string(status.st_size) + "-" + std::to_string(status.st_mtim.tv_sec) + "." +
           std::to_string(status.st_mtim.tv_nsec);
}

std::filesystem::path SpawnedProbe::DefaultProgram() {
    if (const char* named = std::getenv("AIM_PROBE"); named != nullptr && *named != '\0')
        return named;
    std::error_code error;
    return std::filesystem::read_symlink("/proc/self/exe", error).parent_path() / "aimanager";
}

}  // namespace aim::plugin
