#pragma once

#include <string>

namespace aim::cli {

// Loads a plugin into this process, shakes hands and runs the smoke part of the conformance suite,
// under limits of CPU time, memory and open files. The verdict goes as one line (probe_verdict.hpp)
// to `verdict_fd`, or when that is negative to the standard output, there as JSON when `as_json`.
// Whatever the plugin prints goes to the standard error. kExitOk or kExitRefused; a plugin that
// crashes or hangs takes this process with it: that is what it is for.
int RunProbeChild(const std::string& file, int verdict_fd, bool as_json);

// Does so for every file that is ordered over descriptor 3 (core/plugin/probe_server.hpp), in a
// process of its own each. Returns in all of them.
int RunProbeServer();

}  // namespace aim::cli
