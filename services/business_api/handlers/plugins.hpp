#pragma once

#include "core/base/blocking_pool.hpp"
#include "core/http/router.hpp"
#include "services/business_api/plugin_report.hpp"

namespace aim::business_api {

// GET /api/v1/plugins, POST /api/v1/plugins/rescan. `blocking` runs the rescan, which waits for the
// loader. The references outlive the router.
void AddPluginRoutes(http::Router& router, plugin::Registry& registry, const PluginReport& report,
                     BlockingPool& blocking);

}  // namespace aim::business_api
