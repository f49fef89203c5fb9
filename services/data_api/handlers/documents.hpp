#pragma once

#include "core/http/docs/documentation.hpp"
#include "core/http/router.hpp"

namespace aim::data_api {

// GET /openapi.json, /docs and what the page needs, with and without /api/v1.
void AddDocumentRoutes(http::Router& router, const http::SwaggerUi& swagger_ui);

}  // namespace aim::data_api
