#include "core/plugin/probe_process.hpp"

#include <algorithm>
#include <cstdlib>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>

namespace aim::plugin {
namespace {

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

}  // namespace

std::optional<ProbePipe> MakeProbePipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return std::nullopt;
    ProbePipe made;
    made.read = UniqueFd(ends[0]);
    made.write = UniqueFd(ends[1]);
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return made;
}

int SpawnClean(std::vector<std::string> command, std::span<const std::pair<int, int>> descriptors,
               pid_t& pid) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
    ::posix_spawn_file_actions_adddup2(&actions, 0, 1);
    ::posix_spawn_file_actions_adddup2(&actions, 0, 2);
    // dup2 to a number that is the same would keep close-on-exec, so the sources are moved out of
    // the way first.
    std::vector<UniqueFd> moved;
    int last = 2;
    for (const auto& [ours, number] : descriptors) {
        moved.emplace_back(::fcntl(ours, F_DUPFD_CLOEXEC, 10));
        ::posix_spawn_file_actions_adddup2(&actions, moved.back().get(), number);
        last = std::max(last, number);
    }
    ::posix_spawn_file_actions_addclosefrom_np(&actions, last + 1);
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

    std::vector<std::string> environment = ProbeEnvironment();
    const int error = ::posix_spawn(&pid, command.front().c_str(), &actions, &attributes,
                                    Pointers(command).data(), Pointers(environment).data());
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    return error;
}

}  // namespace aim::plugin
