#pragma once

#include <memory>

#include "core/base/clock.hpp"
#include "core/http/error_response.hpp"
#include "core/http/router.hpp"
#include "core/pipeline/settings.hpp"
#include "services/business_api/loop_services.hpp"

namespace aim::business_api {

// POST /v1/chat/completions, streaming and not. The references outlive the router.
void AddChatRoutes(http::Router& router, const std::shared_ptr<LoopServices>& services,
                   const pipeline::Settings& settings, const http::ErrorWriter& errors,
                   const Clock& clock);

}  // namespace aim::business_api
