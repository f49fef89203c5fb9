#pragma once

#include "core/http/docs/documentation.hpp"
#include "core/http/router.hpp"

namespace aim::business_api {

// GET /openapi.json, /docs and what the page needs.
void AddDocumentRoutes(http::Router& router, const http::SwaggerUi& swagger_ui);

}  // namespace aim::business_api
