#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/config/environment.hpp"
#include "core/plugin/models_session.hpp"

namespace aim::cli {

struct DiscoveryOptions {
    std::string provider;  // as in a row's column: an id or an alias
    std::string endpoint;  // empty: the plugin's own
    std::vector<std::filesystem::path> plugin_folders;
};

struct Discovery {
    std::string provider;  // the plugin's id
    std::string endpoint;  // that was asked
    std::vector<plugin::OfferedModel> models;
};

// Asks a provider, through its plugin's aim.models/1 and the engine's HTTP client, which models the
// key of the environment may use. Loads the plugins into this process as a starting gateway does;
// once a process. Blocks; Ctrl-C ends it. Errors: kInvalidRequest for a provider that nobody knows
// or whose plugin has no list, and for a setting that is missing; the provider's own with its
// status; never a key in a text.
Result<Discovery> DiscoverModels(const DiscoveryOptions& options,
                                 const config::Environment& environment);

}  // namespace aim::cli
