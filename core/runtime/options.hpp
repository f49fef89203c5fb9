#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/secret_string.hpp"
#include "core/config/reader.hpp"
#include "core/http/client/proxy.hpp"
#include "core/http/url.hpp"
#include "core/ledger/journal.hpp"
#include "core/pipeline/settings.hpp"
#include "core/plugin/trust_policy.hpp"
#include "core/security/master_key.hpp"
#include "core/telemetry/log.hpp"

namespace aim::runtime {

// The variables that every process reads which talks to models (contract.md, "Variables and
// defaults"). A service's own options derive from it. Immutable after start.
struct Options {
    http::Url data_api;
    SecretString data_api_token;
    security::MasterKeyRing master_keys;  // for the keys of rows
    // What belongs to this process alone: ledger, private copies of plugins, probe cache.
    std::filesystem::path state_dir;
    std::filesystem::path catalogue_copy;  // to start from without a data API; empty = none
    std::vector<std::filesystem::path> plugin_path;
    plugin::TrustPolicy trust;
    telemetry::Level log_level = telemetry::Level::kInfo;
    pipeline::Settings pipeline;  // of these only the timeouts are read here
    std::chrono::milliseconds drain_timeout{30000};
    std::chrono::milliseconds catalogue_refresh{1000};
    std::uint64_t ledger_max_bytes = 0;
    ledger::FsyncPolicy ledger_fsync = ledger::FsyncPolicy::kInterval;
    std::vector<std::string> secret_hosts;
    std::string synthetic_test_prompt;
    http::client::ProxyOptions proxy;
    std::size_t upstream_connections_per_host = 0;  // of each loop

    // What is wrong is in reader.errors(), all of it. `state_folder`: the process's own folder
    // below AIM_STATE_DIR, for those that share one; empty = AIM_STATE_DIR itself. Plugins that
    // were dropped in are in AIM_STATE_DIR/plugins for all.
    static Options Read(config::Reader& reader, std::string_view state_folder = {});
};

}  // namespace aim::runtime
