#include "services/business_api/handlers/plugins.hpp"

#include <utility>

#include "core/base/time_format.hpp"
#include "core/json/writer.hpp"

namespace aim::business_api {
namespace {

void PutList(json::Writer& writer, std::string_view key, const std::vector<std::string>& items) {
    writer.Key(key).BeginArray();
    for (const std::string& item : items) writer.String(item);
    writer.EndArray();
}

Task<> Rescan(http::Exchange& exchange, plugin::Registry& registry, BlockingPool& blocking) {
    const std::function<void()> look = [&registry] { registry.Rescan(); };
    const bool done = co_await blocking.Run(look);
    http::Response response = http::Response::Json(done ? 200 : 202, PluginsJson(registry));
    co_await exchange.writer.Send(std::move(response));
}

}  // namespace

void AppendRefused(const plugin::Registry& registry, std::string& out) {
    json::Writer writer(out);
    writer.BeginArray();
    for (const plugin::RefusedFile& refused : registry.Refusals()) {
        writer.BeginObject()
            .Field("file", refused.file.string())
            .Field("reason", plugin::RefusalName(refused.reason))
            .Field("message", refused.message)
            .Field("since", FormatRfc3339(refused.since))
            .EndObject();
    }
    writer.EndArray();
}

std::string PluginsJson(const plugin::Registry& registry) {
    std::string body;
    json::Writer writer(body);
    writer.BeginObject().Key("loaded").BeginArray();
    for (const plugin::LoadedPlugin& loaded : registry.Loaded()) {
        writer.BeginObject()
            .Field("id", loaded.id)
            .Field("display_name", loaded.display_name)
            .Field("version", loaded.version)
            .Field("file", loaded.file.string())
            .Field("sha256", loaded.sha256)
            .Field("abi", loaded.abi)
            .Field("generation", loaded.generation)
            .Field("misbehaviours", loaded.misbehaviours);
        PutList(writer, "capabilities", loaded.capabilities);
        PutList(writer, "settings", loaded.settings);
        writer.EndObject();
    }
    writer.EndArray();
    std::string refused;
    AppendRefused(registry, refused);
    writer.Key("refused").Raw(refused).EndObject();
    return body;
}

void AddPluginRoutes(http::Router& router, plugin::Registry& registry, BlockingPool& blocking) {
    router.Add(http::Method::kGet, "/api/v1/plugins",
               [&registry](const http::Request&, const http::PathParameters&) {
                   return http::Response::Json(200, PluginsJson(registry));
               });
    router.AddStream(http::Method::kPost, "/api/v1/plugins/rescan",
                     [&registry, &blocking](http::Exchange& exchange) {
                         return Rescan(exchange, registry, blocking);
                     });
}

}  // namespace aim::business_api
