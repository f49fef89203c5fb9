#pragma once

#include <chrono>
#include <functional>

#include "services/cli/kit/finding.hpp"

namespace aim::cli::kit {

// Runs `check` in a forked child with the probe's limits, an empty environment and a time limit,
// and returns what it found; a child that crashes, hangs or ends early has failed, and the message
// says how and where. This process must have one thread.
Finding RunInChild(const std::function<Finding()>& check, std::chrono::milliseconds limit);

}  // namespace aim::cli::kit
