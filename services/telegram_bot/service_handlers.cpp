#include "services/telegram_bot/service_handlers.hpp"

#include <utility>

#include "core/json/writer.hpp"

namespace aim::telegram_bot {
namespace {

constexpr std::string_view kService = "aimanager_telegram_bot";

http::Response Health(const std::string& version) {
    std::string body;
    json::Writer(body)
        .BeginObject()
        .Field("status", "ok")
        .Field("service", kService)
        .Field("version", version)
        .EndObject();
    return http::Response::Json(200, std::move(body));
}

void PutSide(json::Writer& writer, std::string_view name, const StatusBoard::Side& side) {
    writer.Key(name)
        .BeginObject()
        .Field("status", side.up ? "up" : "down")
        .Field("detail", side.detail)
        .EndObject();
}

http::Response Ready(const StatusBoard& status, const std::string& version) {
    const StatusBoard::Side telegram = status.telegram();
    const StatusBoard::Side business_api = status.business_api();
    const bool draining = status.draining.load();
    const bool serves = telegram.up && !draining;
    std::string body;
    json::Writer writer(body);
    writer.BeginObject()
        .Field("status", draining           ? "draining"
                         : !serves          ? "unavailable"
                         : !business_api.up ? "degraded"
                                            : "ready")
        .Field("service", kService)
        .Field("version", version);
    writer.Key("checks").BeginObject();
    PutSide(writer, "telegram", telegram);
    PutSide(writer, "business_api", business_api);
    writer.EndObject().EndObject();
    http::Response response = http::Response::Json(serves ? 200 : 503, std::move(body));
    if (!serves) response.headers.Add("Retry-After", "1");
    return response;
}

}  // namespace

void AddServiceRoutes(http::Router& router, const StatusBoard& status,
                      const telemetry::Metrics& metrics, const std::string& version) {
    http::RoutePolicy open;
    open.open = true;
    router.Add(
        http::Method::kGet, "/health",
        [version](const http::Request&, const http::PathParameters&) { return Health(version); },
        open);
    router.Add(
        http::Method::kGet, "/ready",
        [&status, version](const http::Request&, const http::PathParameters&) {
            return Ready(status, version);
        },
        open);
    router.Add(
        http::Method::kGet, "/metrics",
        [&metrics](const http::Request&, const http::PathParameters&) {
            return http::Response::Text(200, telemetry::Metrics::kContentType,
                                        metrics.RenderText());
        },
        open);
}

}  // namespace aim::telegram_bot
