#pragma once

namespace aim::cli {

// What `aimanager` answers to the shell; documented in README.md and stable.
inline constexpr int kExitOk = 0;
// The answer is no: a refused plugin (or one of a list), a server that refuses or fails.
inline constexpr int kExitRefused = 1;
inline constexpr int kExitUsage = 2;  // wrong options or configuration
// The command could not be done at all: nobody answers at the URL, a file cannot be written.
inline constexpr int kExitFailed = 3;
inline constexpr int kExitInterrupted = 130;  // Ctrl-C

}  // namespace aim::cli
