#include "core/runtime/system_routes.hpp"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "core/json/writer.hpp"
#include "core/runtime/plugins_check.hpp"

namespace aim::runtime {
namespace {

void PutCheck(json::Writer& writer, std::string_view name, bool up, std::string_view detail) {
    writer.Key(name)
        .BeginObject()
        .Field("status", up ? "up" : "down")
        .Field("detail", detail)
        .EndObject();
}

http::Response Health(std::string_view service) {
    std::string body;
    json::Writer(body)
        .BeginObject()
        .Field("status", "ok")
        .Field("service", service)
        .Field("version", AIM_VERSION)
        .EndObject();
    return http::Response::Json(200, std::move(body));
}

// "engine-1 has stood still for 4 s in the plugin groq".
std::string Describe(const std::vector<LoopWatchdog::Stall>& stalls) {
    std::string text;
    for (const LoopWatchdog::Stall& stall : stalls) {
        if (!text.empty()) text += "; ";
        text += stall.loop + " has stood still for " +
                std::to_string(std::chrono::floor<std::chrono::seconds>(stall.lasted).count()) +
                " s";
        if (!stall.plugin.empty()) text += " in the plugin " + stall.plugin;
    }
    return text;
}

http::Response Ready(const Readiness& readiness) {
    const auto catalogue = readiness.catalogue.status();
    const bool draining = readiness.draining.load(std::memory_order_relaxed);
    const ledger::Journal::Status ledger = readiness.ledger.status();
    const bool ledger_full = ledger.full;
    const bool has_plugins = !readiness.plugins.Snapshot()->generations().empty();
    const bool serves = catalogue.loaded && has_plugins && !draining && !ledger_full;
    const bool delivers = !readiness.delivery.last_call_failed();
    const auto stalls = readiness.watchdog.stalls();
    const bool complete = catalogue.data_api_up && !catalogue.from_copy && delivers &&
                          !ledger.degraded && stalls.empty();
    std::string body;
    json::Writer writer(body);
    writer.BeginObject().Field("status", !serves    ? (draining ? "draining" : "unavailable")
                                         : complete ? "ready"
                                                    : "degraded");
    writer.Key("checks").BeginObject();
    PutCheck(writer, "data_api", catalogue.data_api_up, catalogue.problem);
    PutCheck(writer, "catalogue", catalogue.loaded,
             !catalogue.loaded     ? "no catalogue yet"
             : catalogue.from_copy ? "from the copy on disk"
                                   : std::to_string(catalogue.models) + " models");
    PutPluginsCheck(writer, readiness.plugins);
    std::string detail = std::to_string(ledger.pending_records) + " records wait";
    if (ledger.degraded) detail.append("; ").append(ledger.problem);
    PutCheck(writer, "ledger", !ledger_full && delivers && !ledger.degraded, detail);
    PutCheck(writer, "loops", stalls.empty(), Describe(stalls));
    writer.EndObject().EndObject();
    http::Response response = http::Response::Json(serves ? 200 : 503, std::move(body));
    if (!serves) response.headers.Add("Retry-After", "1");
    return response;
}

}  // namespace

void AddSystemRoutes(http::Router& router, std::string_view service, const Readiness& readiness,
                     const telemetry::Metrics& metrics) {
    http::RoutePolicy open;
    open.open = true;
    router.Add(
        http::Method::kGet, "/health",
        [name = std::string(service)](const http::Request&, const http::PathParameters&) {
            return Health(name);
        },
        open);
    router.Add(
        http::Method::kGet, "/ready",
        [readiness](const http::Request&, const http::PathParameters&) { return Ready(readiness); },
        open);
    router.Add(
        http::Method::kGet, "/metrics",
        [&metrics](const http::Request&, const http::PathParameters&) {
            return http::Response::Text(200, telemetry::Metrics::kContentType,
                                        metrics.RenderText());
        },
        open);
}

}  // namespace aim::runtime
