#pragma once

#include <chrono>

namespace aim::cli {

// For a process that tries a plugin: bounds its CPU time, memory and open files, lets it leave no
// core, gain no privileges and die with its parent.
void LimitThisProcess(std::chrono::seconds cpu);

}  // namespace aim::cli
