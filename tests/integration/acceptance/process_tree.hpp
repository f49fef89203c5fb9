// Who runs on this machine, as /proc tells: processes are known by their number and their start, so
// that a number that is used again is not mistaken for them.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace aim::test {

struct RunningProcess {
    pid_t pid = 0;
    pid_t parent = 0;
    std::string start;    // in the kernel's ticks
    std::string program;  // the file's name, without its folder; empty when it may not be read
};

// The process and all that come from it. Empty when it does not run (a zombie does not).
std::vector<RunningProcess> ProcessTree(pid_t root);

bool IsRunning(const RunningProcess& process);

}  // namespace aim::test
