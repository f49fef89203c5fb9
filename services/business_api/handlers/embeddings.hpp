#pragma once

#include <memory>

#include "core/http/error_response.hpp"
#include "core/http/router.hpp"
#include "services/business_api/loop_services.hpp"

namespace aim::business_api {

// POST /v1/embeddings. The references outlive the router.
void AddEmbeddingsRoutes(http::Router& router, const std::shared_ptr<LoopServices>& services,
                         const http::ErrorWriter& errors);

}  // namespace aim::business_api
