#pragma once

#include <string>

#include "core/config/environment.hpp"
#include "core/plugin/registry.hpp"
#include "core/runtime/plugin_metrics.hpp"

namespace aim::business_api {

// What GET /api/v1/plugins tells. Of a setting it says whether it has a value, never which.
// The references outlive the report's last use.
struct PluginReport {
    const plugin::Registry& registry;
    const config::Environment& environment;
    const runtime::PluginMetrics& metrics;

    std::string ToJson() const;
};

}  // namespace aim::business_api
