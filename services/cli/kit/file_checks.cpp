// Checks of the file's bytes. The loader's own policy says what is asked; each check shows it one
// side of the file, so that all faults are seen at once.
#include <algorithm>
#include <set>
#include <string>

#include "aim/abi/entry.h"
#include "aim/abi/version.h"
#include "services/cli/kit/check.hpp"

namespace aim::cli::kit {
namespace {

Finding ByPolicy(const Subject& subject, plugin::ElfImage side) {
    if (side.exports.empty()) side.exports.push_back({AIM_ENTRY_SYMBOL, false});
    static const plugin::HostLibraries host = plugin::HostLibraries::OfThisProcess();
    const auto refusal = plugin::CheckElfPolicy(side, host, subject.hash_allowed_by_name);
    return refusal ? Fail(refusal->message) : Pass();
}

Finding NeededLibraries(Bench& bench) {
    plugin::ElfImage side;
    side.needed = bench.subject().image.needed;
    return ByPolicy(bench.subject(), std::move(side));
}

Finding NeededVersions(Bench& bench) {
    plugin::ElfImage side;
    side.needed_versions = bench.subject().image.needed_versions;
    return ByPolicy(bench.subject(), std::move(side));
}

Finding UniqueSymbols(Bench& bench) {
    plugin::ElfImage side;
    for (const plugin::ElfExport& symbol : bench.subject().image.exports) {
        if (symbol.unique) side.exports.push_back(symbol);
    }
    return ByPolicy(bench.subject(), std::move(side));
}

Finding OneExport(Bench& bench) {
    if (bench.subject().image.exports.empty())
        return Fail("the file exports no " AIM_ENTRY_SYMBOL
                    ": a plugin defines it with AIM_EXPORT");
    plugin::ElfImage side;
    for (plugin::ElfExport symbol : bench.subject().image.exports) {
        symbol.unique = false;  // another check's
        side.exports.push_back(std::move(symbol));
    }
    return ByPolicy(bench.subject(), std::move(side));
}

Finding StaticTls(Bench& bench) {
    plugin::ElfImage side;
    side.static_tls = bench.subject().image.static_tls;
    return ByPolicy(bench.subject(), std::move(side));
}

Finding TextRelocations(Bench& bench) {
    plugin::ElfImage side;
    side.text_relocations = bench.subject().image.text_relocations;
    return ByPolicy(bench.subject(), std::move(side));
}

Finding Note(Bench& bench) {
    const auto& note = bench.subject().note;
    if (!note) {
        return Skip(
            "the file has no AIM note, so `aimanager plugin info` cannot name it: add "
            "AIM_PLUGIN_NOTE (export.h) and do not strip notes");
    }
    if (note->abi_minor > AIM_ABI_MINOR) {
        return Skip("the note says ABI minor " + std::to_string(note->abi_minor) +
                    ", this kit knows " + std::to_string(AIM_ABI_MINOR));
    }
    return Pass();
}

// Functions that a state machine over bytes has no use for. Those that the languages' own run-time
// libraries carry stay: abort, write, open (Rust's panics), __cxa_atexit, __stack_chk_fail.
const std::set<std::string, std::less<>>& Forbidden() {
    static const std::set<std::string, std::less<>> names = {
        // the network and files
        "socket", "connect", "bind", "listen", "accept", "accept4", "send", "sendto", "sendmsg",
        "recv", "recvfrom", "recvmsg", "getaddrinfo", "gethostbyname", "fopen", "fopen64", "creat",
        "unlink", "rename", "mkdir", "opendir", "inotify_init", "epoll_create1", "epoll_wait",
        "poll", "select", "popen",
        // processes, threads, signals
        "fork", "vfork", "execve", "execvp", "execv", "execl", "execlp", "posix_spawn",
        "posix_spawnp", "system", "kill", "raise", "signal", "sigaction", "sigprocmask",
        "pthread_create", "thrd_create", "clone", "daemon", "ptrace", "prctl", "alarm", "setitimer",
        "timer_create",
        // the end of the process
        "exit", "_exit", "_Exit", "quick_exit", "atexit", "on_exit", "at_quick_exit", "longjmp",
        "siglongjmp", "__longjmp_chk",
        // the process's own state
        "setlocale", "setenv", "unsetenv", "putenv", "clearenv", "chdir", "fchdir", "umask",
        "setuid", "setgid", "setrlimit", "tzset",
        // loading more
        "dlopen", "dlmopen", "dlsym",
        // standard streams
        "printf", "vprintf", "puts", "putchar", "perror", "__printf_chk", "__vprintf_chk", "stdout",
        "stderr", "stdin",
        // clocks, randomness, blocking
        "sleep", "usleep", "nanosleep", "clock_nanosleep", "rand", "srand", "random", "srandom"};
    return names;
}

Finding Imports(Bench& bench) {
#ifdef AIM_CLI_COVERAGE
    // What measures coverage stands in each plugin of this build, and writes files.
    return Skip("this program and its plugins are built to measure coverage");
#endif
    std::string found;
    for (const std::string& name : bench.subject().image.imports) {
        if (Forbidden().count(name) == 0) continue;
        found += (found.empty() ? "" : ", ") + name;
    }
    if (found.empty()) return Pass();
    return UnlessTolerated(
        bench.subject(),
        Fail("the plugin calls " + found +
             ": it does no I/O, starts nothing, ends nothing and changes nothing of the process "
             "(rule P7)"));
}

}  // namespace

const std::vector<Check>& FileChecks() {
    static const std::vector<Check> checks = {
        {"entry-exports-exactly-one-symbol", "The file exports aim_plugin_entry and nothing else.",
         &OneExport, false},
        {"no-unexpected-needed-libs", "It needs the languages' run-time libraries only.",
         &NeededLibraries, false},
        {"needs-no-newer-libc", "It needs no symbol version that this system lacks.",
         &NeededVersions, false},
        {"no-unique-symbols", "It has no unique-binding symbol.", &UniqueSymbols, false},
        {"no-static-tls", "It uses no static thread-local storage.", &StaticTls, false},
        {"no-text-relocations", "It has no text relocations.", &TextRelocations, false},
        {"note-is-readable", "Its AIM note tells ABI, id and version without running it.", &Note,
         false},
        {"imports-no-forbidden-calls",
         "It calls nothing that does I/O, ends the process or changes its state.", &Imports, false},
    };
    return checks;
}

}  // namespace aim::cli::kit
