#pragma once

#include <string>

#include "core/json/json.hpp"
#include "services/cli/console/output.hpp"
#include "services/cli/remote_flags.hpp"

namespace aim::cli {

// GET /api/v1/plugins of a running gateway. Needs the API key.
Result<json::Document> FetchPlugins(Remote& remote, const Endpoint& business);

// Its plugins, those that sessions still hold, and the files that it refused, as tables.
std::string PluginTables(json::Value report, const Terminal& terminal);

// `plugin list --running`. kExitRefused when the gateway refused a file.
int ListRunningPlugins(const RemoteFlags& flags);

}  // namespace aim::cli
