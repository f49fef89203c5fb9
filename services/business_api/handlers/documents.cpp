#include "services/business_api/handlers/documents.hpp"

#include <string>
#include <string_view>

namespace aim::embedded {
extern const std::string_view kBusinessOpenApi;
extern const std::string_view kBusinessDocs;
}  // namespace aim::embedded

namespace aim::business_api {

void AddDocumentRoutes(http::Router& router) {
    http::RoutePolicy open;
    open.open = true;
    router.Add(
        http::Method::kGet, "/openapi.json",
        [](const http::Request&, const http::PathParameters&) {
            return http::Response::Json(200, std::string(embedded::kBusinessOpenApi));
        },
        open);
    router.Add(
        http::Method::kGet, "/docs",
        [](const http::Request&, const http::PathParameters&) {
            return http::Response::Text(200, "text/html; charset=utf-8",
                                        std::string(embedded::kBusinessDocs));
        },
        open);
}

}  // namespace aim::business_api
