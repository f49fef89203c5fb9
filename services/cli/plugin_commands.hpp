#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace aim::cli {

struct PluginListOptions {
    std::string plugin_path;  // empty: $PLUGIN_PATH, else the default folders
    bool json = false;
};

struct PluginFileOptions {
    std::string file;
    bool json = false;
};

// The folders of contract.md: `wanted` (separated by colons) or PLUGIN_PATH, else the plugins that
// were built with this program and the drop-in folder.
std::vector<std::filesystem::path> PluginFolders(const std::string& wanted);

// `plugin list`: tries every candidate file of the folders as a starting gateway would.
// kExitRefused when one is refused.
int ListPlugins(const PluginListOptions& options);

// `plugin info`: what the bytes say. kExitRefused when they are refused.
int ShowPlugin(const PluginFileOptions& options);

}  // namespace aim::cli
