#include "services/cli/child_limits.hpp"

#include <csignal>

#include <sys/prctl.h>
#include <sys/resource.h>

namespace aim::cli {
namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define AIM_CLI_SANITIZED 1
#endif
#endif

void Limit(int resource, rlim_t soft, rlim_t hard) {
    const rlimit limit{soft, hard};
    // A limit that is already lower than ours stays.
    static_cast<void>(::setrlimit(static_cast<__rlimit_resource_t>(resource), &limit));
}

}  // namespace

void LimitThisProcess(std::chrono::seconds cpu) {
    const auto seconds = static_cast<rlim_t>(cpu.count());
    Limit(RLIMIT_CPU, seconds, seconds + 1);
    Limit(RLIMIT_CORE, 0, 0);
    Limit(RLIMIT_NOFILE, 64, 64);
#ifndef AIM_CLI_SANITIZED
    // Sanitizers reserve terabytes of address space; Go reserves one gigabyte that it never
    // touches.
    Limit(RLIMIT_AS, 4ull << 30, 4ull << 30);
    Limit(RLIMIT_DATA, 1u << 30, 1u << 30);
#endif
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

}  // namespace aim::cli
