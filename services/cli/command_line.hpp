#pragma once

namespace aim::cli {

// Reads the arguments, runs the command they name and returns its exit code (exit_code.hpp).
// Catches everything.
int RunCommandLine(int argc, char** argv);

}  // namespace aim::cli
