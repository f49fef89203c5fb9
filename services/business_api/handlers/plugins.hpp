#pragma once

#include <memory>

#include "core/base/blocking_pool.hpp"
#include "core/http/router.hpp"
#include "core/plugin/registry.hpp"
#include "services/business_api/loop_services.hpp"

namespace aim::business_api {

// GET /api/v1/plugins, POST /api/v1/plugins/rescan. `blocking` runs the rescan, which waits for the
// loader. The references outlive the router.
void AddPluginRoutes(http::Router& router, plugin::Registry& registry, BlockingPool& blocking);

// The arrays `loaded` and `refused` of one object; also what /ready shows of the refused ones.
std::string PluginsJson(const plugin::Registry& registry);
void AppendRefused(const plugin::Registry& registry, std::string& out);

}  // namespace aim::business_api
