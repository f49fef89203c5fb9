#pragma once

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "services/cli/kit/check.hpp"

namespace aim::cli::kit {

struct SuiteOptions {
    std::set<std::string> only;  // empty: all
    std::set<std::string> skip;
    bool in_process = false;  // for a debugger: the first crash ends everything
    // What each may take, unless it is in this process. The default is far above what a check
    // takes, also in instrumented builds on a busy machine.
    std::chrono::seconds limit{60};
};

struct CheckResult {
    const Check* check = nullptr;
    Finding finding;
    std::chrono::milliseconds took{0};
};

// Runs the checks over one plugin, each in a child of its own unless told otherwise: those of the
// bytes, or those that run code. This process must have one thread.
std::vector<CheckResult> RunChecks(const Subject& subject, const SuiteOptions& options,
                                   bool that_run_code);

// Names that no check has, of `names`.
std::vector<std::string> UnknownChecks(const std::set<std::string>& names);

}  // namespace aim::cli::kit
