#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/http/error_response.hpp"
#include "core/http/router.hpp"
#include "core/plugin/plugin_set.hpp"
#include "core/runtime/model_runtime.hpp"
#include "services/business_api/loop_services.hpp"

namespace aim::business_api {

// POST /api/v1/providers/test: probes the active models of all providers, or of those that the body
// names, and answers with one result for each when all are done: within REQUEST_TIMEOUT_MS, sixteen
// at once for a request, and so many requests at once in the process.
inline constexpr int kMostProviderTests = 4;

// `under_way` counts them; it and the other references outlive the router.
void AddProviderTestRoute(http::Router& router, const std::shared_ptr<LoopServices>& services,
                          runtime::ModelRuntime& runtime, std::atomic<int>& under_way,
                          const http::ErrorWriter& errors);

// The names in a body; none = all providers.
Result<std::vector<std::string>> ReadProviderNames(std::string_view body);

// The active candidates of these providers, each named as a row or a plugin names it, in any case.
// An unknown name is an error of the field `providers`.
Result<std::vector<const routing::Candidate*>> SelectByProvider(
    const routing::RoutingTable& table, const plugin::PluginSet& plugins,
    const std::vector<std::string>& names);

}  // namespace aim::business_api
