#include "services/cli/model_lookup.hpp"

#include <utility>

namespace aim::cli {

Result<json::Document> ListModels(Remote& remote, const Endpoint& data, bool active_only) {
    auto body = remote.Fetch(data, "GET",
                             active_only ? "/api/v1/models?active_only=true" : "/api/v1/models");
    if (!body) return Unexpected(std::move(body.error()));
    auto document = json::Parse(*body);
    if (!document || !document->root().IsArray())
        return Fail(ErrorKind::kProtocolError,
                    "the " + data.name + " at " + data.base + " did not answer with a list");
    return document;
}

json::Value FindModel(const json::Document& models, std::string_view name_or_id) {
    for (const char* const field : {"name", "id"}) {
        for (const auto& [key, model] : models.root()) {
            if (model.Get(field).AsString() == name_or_id) return model;
        }
    }
    return {};
}

Result<json::Document> FetchModel(Remote& remote, const Endpoint& data,
                                  std::string_view name_or_id) {
    auto models = ListModels(remote, data);
    if (!models) return models;
    const json::Value model = FindModel(*models, name_or_id);
    if (!model.exists()) {
        Error error;
        error.kind = ErrorKind::kModelNotFound;
        error.code = "model_not_found";
        error.message = "there is no model \"" + std::string(name_or_id) +
                        "\"; `aimanager models list` shows all";
        return Unexpected(std::move(error));
    }
    return json::Parse(model.ToJson());
}

}  // namespace aim::cli
