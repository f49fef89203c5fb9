#pragma once

#include <string>

#include "core/config/environment.hpp"
#include "core/json/writer.hpp"
#include "core/plugin/registry.hpp"
#include "services/business_api/plugin_metrics.hpp"

namespace aim::business_api {

// What GET /api/v1/plugins tells. Of a setting it says whether it has a value, never which.
// The references outlive the report's last use.
struct PluginReport {
    const plugin::Registry& registry;
    const config::Environment& environment;
    const PluginMetrics& metrics;

    std::string ToJson() const;
};

// The member `plugins` of /ready: how many serve, which files are refused and why, and in `detail`
// what else an operator should know.
void PutPluginsCheck(json::Writer& writer, const plugin::Registry& registry);

}  // namespace aim::business_api
