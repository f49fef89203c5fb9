#include "services/business_api/handlers/plugins.hpp"

#include <functional>
#include <utility>

namespace aim::business_api {
namespace {

Task<> Rescan(http::Exchange& exchange, plugin::Registry& registry, PluginReport report,
              BlockingPool& blocking) {
    const std::function<void()> look = [&registry] { registry.Rescan(); };
    const bool done = co_await blocking.Run(look);
    http::Response response = http::Response::Json(done ? 200 : 202, report.ToJson());
    co_await exchange.writer.Send(std::move(response));
}

}  // namespace

void AddPluginRoutes(http::Router& router, plugin::Registry& registry, const PluginReport& report,
                     BlockingPool& blocking) {
    http::RoutePolicy policy;
    policy.scope = security::Scope::kAdmin;
    router.Add(
        http::Method::kGet, "/api/v1/plugins",
        [report](const http::Request&, const http::PathParameters&) {
            return http::Response::Json(200, report.ToJson());
        },
        policy);
    router.AddStream(
        http::Method::kPost, "/api/v1/plugins/rescan",
        [&registry, report, &blocking](http::Exchange& exchange) {
            return Rescan(exchange, registry, report, blocking);
        },
        policy);
}

}  // namespace aim::business_api
