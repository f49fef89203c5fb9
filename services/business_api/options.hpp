#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/secret_string.hpp"
#include "core/config/reader.hpp"
#include "core/http/client/proxy.hpp"
#include "core/http/middleware/trusted_proxies.hpp"
#include "core/http/url.hpp"
#include "core/ledger/journal.hpp"
#include "core/pipeline/settings.hpp"
#include "core/plugin/trust_policy.hpp"
#include "core/telemetry/log.hpp"

namespace aim::business_api {

// The configuration of the business API (contract.md, "Variables and defaults"), read once at
// start.
struct Options {
    std::string host;
    std::uint16_t port = 8000;
    http::Url data_api;
    SecretString data_api_token;
    SecretString api_key;
    std::filesystem::path state_dir;
    std::vector<std::filesystem::path> plugin_path;
    plugin::TrustPolicy trust;
    telemetry::Level log_level = telemetry::Level::kInfo;
    pipeline::Settings pipeline;
    std::chrono::milliseconds drain_timeout{30000};
    std::uint32_t rate_limit_per_minute = 10;
    http::TrustedProxies trusted_proxies;
    std::string cors_allowed_origins;
    std::chrono::milliseconds catalogue_refresh{1000};
    std::uint64_t ledger_max_bytes = 0;
    ledger::FsyncPolicy ledger_fsync = ledger::FsyncPolicy::kInterval;
    std::vector<std::string> secret_hosts;
    http::client::ProxyOptions proxy;
    std::size_t engine_threads = 0;  // 0 = one a core
    std::size_t max_body_bytes = 0;

    // Reads everything; what is wrong is in reader.errors(), all of it.
    static Options Read(config::Reader& reader);
};

}  // namespace aim::business_api
