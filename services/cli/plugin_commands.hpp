#pragma once

#include <string>

namespace aim::cli {

struct PluginListOptions {
    std::string plugin_path;  // empty: $PLUGIN_PATH, else the default folders
    bool json = false;
};

struct PluginFileOptions {
    std::string file;
    bool json = false;
};

// `plugin list`: tries every candidate file of the folders as a starting gateway would.
// kExitRefused when one is refused.
int ListPlugins(const PluginListOptions& options);

// `plugin info`: what the bytes say. kExitRefused when they are refused.
int ShowPlugin(const PluginFileOptions& options);

}  // namespace aim::cli
