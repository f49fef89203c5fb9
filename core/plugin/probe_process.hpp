#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "core/plugin/unique_fd.hpp"

namespace aim::plugin {

// A process that tries a plugin, and our ends of its pipes. Descriptor 3 takes its verdict, so that
// a plugin that prints cannot forge one by accident; 1 and 2 are its output. One thread at a time.
class ProbeProcess {
  public:
    virtual ~ProbeProcess() = default;

    // Its wait status, once it has ended. Does not block.
    virtual std::optional<int> Ended() = 0;

    // Ends its whole process group, whatever has become of it.
    virtual void Kill() = 0;

    UniqueFd verdict;
    UniqueFd output;
    UniqueFd end;  // readable once it has ended; none where the kernel has no pidfd
};

// Both ends close-on-exec; reading does not block.
struct ProbePipe {
    UniqueFd read;
    UniqueFd write;
};
std::optional<ProbePipe> MakeProbePipe();

// Runs `command` in a process group of its own with a clean environment, signals as at login and no
// descriptors but 0 to 2 (nothing) and those of `descriptors`: ours, then its number there, below
// 10. 0 or an errno.
int SpawnClean(std::vector<std::string> command, std::span<const std::pair<int, int>> descriptors,
               pid_t& pid);

}  // namespace aim::plugin
