#pragma once

#include "core/http/router.hpp"

namespace aim::business_api {

// GET /openapi.json and /docs: the API's own description, from the binary.
void AddDocumentRoutes(http::Router& router);

}  // namespace aim::business_api
