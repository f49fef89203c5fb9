#pragma once

#include <string>

namespace aim::cli {

struct PluginNewOptions {
    std::string name;      // the provider id, also of folder and file
    std::string language;  // "c" or "cpp"
    std::string into;      // the folder in which the new one is made; empty: the working folder
};

// `plugin new`: writes a folder with a plugin that builds and passes `plugin check`. Overwrites
// nothing. kExitUsage for a bad name, kExitFailed when something cannot be written.
int NewPlugin(const PluginNewOptions& options);

}  // namespace aim::cli
