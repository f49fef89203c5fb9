#pragma once

#include "core/http/router.hpp"

namespace aim::data_api {

// GET /openapi.json and /docs, with and without /api/v1: the API's own description, from the
// binary.
void AddDocumentRoutes(http::Router& router);

}  // namespace aim::data_api
