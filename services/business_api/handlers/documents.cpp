#include "services/business_api/handlers/documents.hpp"

#include <string_view>

namespace aim::embedded {
extern const std::string_view kBusinessOpenApi;
}  // namespace aim::embedded

namespace aim::business_api {

void AddDocumentRoutes(http::Router& router, const http::SwaggerUi& swagger_ui) {
    http::AddDocumentation(router, "", embedded::kBusinessOpenApi, swagger_ui);
}

}  // namespace aim::business_api
