#include "services/data_api/handlers/routes.hpp"

#include <string>

namespace aim::data_api {

using http::Method;
using http::PathParameters;
using http::Request;

void AddRoutes(http::Router& router, const ModelHandlers& models, const HistoryHandlers& history,
               const LedgerHandler& ledger, const KeyHandlers& keys,
               const ServiceHandlers& service) {
    const http::RoutePolicy open{.open = true};
    for (const std::string prefix : {"", "/api/v1"}) {
        const auto add = [&](Method method, std::string_view path, http::PlainHandler handler) {
            router.Add(method, prefix + std::string(path), std::move(handler));
        };
        const auto add_open = [&](std::string_view path, http::PlainHandler handler) {
            router.Add(Method::kGet, prefix + std::string(path), std::move(handler), open);
        };
        add_open("/health",
                 [&service](const Request&, const PathParameters&) { return service.Health(); });
        add_open("/ready",
                 [&service](const Request&, const PathParameters&) { return service.Ready(); });
        add_open("/metrics", [&service](const Request&, const PathParameters&) {
            return service.MetricsPage();
        });

        add(Method::kGet, "/models",
            [&models](const Request& r, const PathParameters&) { return models.List(r); });
        add(Method::kPost, "/models",
            [&models](const Request& r, const PathParameters&) { return models.Create(r); });
        add(Method::kGet, "/models/best",
            [&models](const Request& r, const PathParameters&) { return models.Best(r); });
        add(Method::kGet, "/models/stats",
            [&models](const Request& r, const PathParameters&) { return models.AllStats(r); });
        add(Method::kGet, "/models/{id}",
            [&models](const Request& r, const PathParameters& p) { return models.Get(r, p); });
        add(Method::kPatch, "/models/{id}",
            [&models](const Request& r, const PathParameters& p) { return models.Change(r, p); });
        add(Method::kDelete, "/models/{id}",
            [&models](const Request& r, const PathParameters& p) { return models.Delete(r, p); });
        add(Method::kGet, "/models/{id}/stats",
            [&models](const Request& r, const PathParameters& p) { return models.Stats(r, p); });
        add(Method::kPost, "/models/{id}/stats",
            [&models](const Request& r, const PathParameters& p) { return models.AddStats(r, p); });
        add(Method::kPost, "/models/{id}/increment-success",
            [&models](const Request& r, const PathParameters& p) {
                return models.Increment(r, p, true);
            });
        add(Method::kPost, "/models/{id}/increment-failure",
            [&models](const Request& r, const PathParameters& p) {
                return models.Increment(r, p, false);
            });

        for (const std::string_view path : {"/prompts/history", "/history"}) {
            add(Method::kGet, path,
                [&history](const Request& r, const PathParameters&) { return history.List(r); });
            add(Method::kPost, path,
                [&history](const Request& r, const PathParameters&) { return history.Store(r); });
        }
        add(Method::kPost, "/models/{id}/reencrypted-key",
            [&models](const Request& r, const PathParameters& p) {
                return models.ReplaceKey(r, p);
            });
        add(Method::kPost, "/ledger",
            [&ledger](const Request& r, const PathParameters&) { return ledger.Apply(r); });

        add(Method::kGet, "/keys",
            [&keys](const Request& r, const PathParameters&) { return keys.List(r); });
        add(Method::kPost, "/keys",
            [&keys](const Request& r, const PathParameters&) { return keys.Create(r); });
        add(Method::kGet, "/keys/hashes",
            [&keys](const Request& r, const PathParameters&) { return keys.Hashes(r); });
        add(Method::kPost, "/keys/last-used",
            [&keys](const Request& r, const PathParameters&) { return keys.NoteUses(r); });
        add(Method::kGet, "/keys/{id}",
            [&keys](const Request& r, const PathParameters& p) { return keys.Get(r, p); });
        add(Method::kDelete, "/keys/{id}",
            [&keys](const Request& r, const PathParameters& p) { return keys.Revoke(r, p); });
        add(Method::kPost, "/keys/{id}/rotate",
            [&keys](const Request& r, const PathParameters& p) { return keys.Rotate(r, p); });
    }
}

}  // namespace aim::data_api
