#pragma once

#include <memory>

#include "core/base/clock.hpp"
#include "core/http/error_response.hpp"
#include "core/http/router.hpp"
#include "core/pipeline/completion_service.hpp"
#include "services/business_api/loop_services.hpp"

namespace aim::business_api {

// GET /api/v1/models, /api/v1/models/stats, /api/v1/models/{id}/stats and /v1/models,
// /v1/models/{id...}. The references outlive the router.
void AddModelRoutes(http::Router& router, const std::shared_ptr<LoopServices>& services,
                    pipeline::PipelineShared& shared, const http::ErrorWriter& errors);

// The word of contract.md for a model's state: available, not_configured, cooling_down, parked,
// open, no_plugin, inactive.
std::string_view StateName(const routing::Candidate& candidate, MonotonicTime now);

}  // namespace aim::business_api
