#include "services/data_api/handlers/documents.hpp"

#include <string>
#include <string_view>

namespace aim::embedded {
extern const std::string_view kDataOpenApi;
extern const std::string_view kDataDocs;
}  // namespace aim::embedded

namespace aim::data_api {

void AddDocumentRoutes(http::Router& router) {
    const http::RoutePolicy open{.open = true};
    for (const std::string prefix : {"", "/api/v1"}) {
        router.Add(
            http::Method::kGet, prefix + "/openapi.json",
            [](const http::Request&, const http::PathParameters&) {
                return http::Response::Json(200, std::string(embedded::kDataOpenApi));
            },
            open);
        router.Add(
            http::Method::kGet, prefix + "/docs",
            [](const http::Request&, const http::PathParameters&) {
                return http::Response::Text(200, "text/html; charset=utf-8",
                                            std::string(embedded::kDataDocs));
            },
            open);
    }
}

}  // namespace aim::data_api
