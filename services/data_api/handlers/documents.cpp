#include "services/data_api/handlers/documents.hpp"

#include <string_view>

namespace aim::embedded {
extern const std::string_view kDataOpenApi;
}  // namespace aim::embedded

namespace aim::data_api {

void AddDocumentRoutes(http::Router& router, const http::SwaggerUi& swagger_ui) {
    http::AddDocumentation(router, "", embedded::kDataOpenApi, swagger_ui);
    http::AddDocumentation(router, "/api/v1", embedded::kDataOpenApi, swagger_ui);
}

}  // namespace aim::data_api
