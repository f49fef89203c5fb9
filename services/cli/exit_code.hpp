#pragma once

namespace aim::cli {

// What `aimanager` answers to the shell; documented in README.md and stable.
inline constexpr int kExitOk = 0;
inline constexpr int kExitRefused = 1;  // the plugin (or at least one of a list) is refused
inline constexpr int kExitUsage = 2;    // wrong options or configuration
inline constexpr int kExitFailed = 3;   // the command itself could not be done

}  // namespace aim::cli
