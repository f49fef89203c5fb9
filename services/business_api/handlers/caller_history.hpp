#pragma once

#include <memory>

#include "core/http/error_response.hpp"
#include "core/http/router.hpp"
#include "services/business_api/loop_services.hpp"

namespace aim::business_api {

// GET /api/v1/prompts/history: the rows that were made with the caller's key. `errors` outlives the
// router.
void AddCallerHistoryRoute(http::Router& router, const std::shared_ptr<LoopServices>& services,
                           const http::ErrorWriter& errors);

}  // namespace aim::business_api
