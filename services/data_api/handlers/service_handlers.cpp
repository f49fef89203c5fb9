#include "services/data_api/handlers/service_handlers.hpp"

#include "core/json/writer.hpp"

namespace aim::data_api {
namespace {

constexpr std::string_view kService = "aimanager_data_postgres_api";

}  // namespace

http::Response ServiceHandlers::Health() const {
    std::string body;
    json::Writer writer(body);
    writer.BeginObject()
        .Field("status", "ok")
        .Field("service", kService)
        .Field("version", version_)
        .EndObject();
    return http::Response::Json(200, std::move(body));
}

http::Response ServiceHandlers::Ready() const {
    const Readiness readiness = readiness_();
    const bool is_ready =
        readiness.database_up && readiness.migrations_applied && !readiness.draining;
    std::string body;
    json::Writer writer(body);
    writer.BeginObject();
    writer.Field("status", readiness.draining ? "draining" : is_ready ? "ready" : "unavailable");
    writer.Field("service", kService).Field("version", version_);
    writer.Key("checks").BeginObject();
    writer.Key("database").BeginObject();
    writer.Field("status", readiness.database_up ? "up" : "down")
        .Field("detail", readiness.database_detail)
        .EndObject();
    writer.Key("migrations").BeginObject();
    writer.Field("status", readiness.migrations_applied ? "applied" : "pending")
        .Field("detail", "")
        .EndObject();
    writer.EndObject().EndObject();
    http::Response response = http::Response::Json(is_ready ? 200 : 503, std::move(body));
    if (!is_ready) response.headers.Add("Retry-After", "1");
    return response;
}

http::Response ServiceHandlers::MetricsPage() const {
    return http::Response::Text(200, telemetry::Metrics::kContentType, metrics_.RenderText());
}

}  // namespace aim::data_api
