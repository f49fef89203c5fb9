#include "core/data_client/model_reader.hpp"

#include <algorithm>

#include "core/base/time_format.hpp"
#include "core/json/json.hpp"

namespace aim::data_client {
namespace {

// Settings may hold whatever an operator wrote, so a row may be as deep as the data API lets it.
constexpr json::Limits kLimits{80, false};

std::optional<WallTime> ReadTime(json::Value value) {
    const auto text = value.AsString();
    return text ? ParseRfc3339(*text) : std::nullopt;
}

std::uint64_t Unsigned(std::int64_t value) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0));
}

}  // namespace

Result<completion::ModelRecord> ReadModel(json::Value value) {
    completion::ModelRecord model;
    const auto id = Uuid::Parse(value.Get("id").StringOr(""));
    const auto name = value.Get("name").AsString();
    const auto provider = value.Get("provider").AsString();
    if (!id || !name || !provider) {
        return Fail(ErrorKind::kProtocolError,
                    "the data API sent a model without id, name or provider");
    }
    model.id = *id;
    model.name = *name;
    model.provider = *provider;
    model.endpoint = value.Get("endpoint").StringOr("");
    while (model.endpoint.ends_with('/') && !model.endpoint.ends_with("://"))
        model.endpoint.pop_back();
    model.upstream_model = value.Get("upstream_model").StringOr(model.name);
    if (model.upstream_model.empty()) model.upstream_model = model.name;
    model.is_active = value.Get("is_active").BoolOr(true);
    if (value.Get("settings").IsObject()) model.settings = value.Get("settings").ToJson();
    model.context_window = value.Get("context_window").AsInt64();
    if (const json::Value list = value.Get("capabilities"); list.IsArray()) {
        model.capabilities.emplace();
        for (const auto& [key, item] : list) model.capabilities->emplace_back(item.StringOr(""));
    }
    model.input_price_per_million = value.Get("input_price_per_million").StringOr("");
    model.output_price_per_million = value.Get("output_price_per_million").StringOr("");
    model.has_api_key = value.Get("has_api_key").BoolOr(false);
    model.api_key_ciphertext = value.Get("api_key_ciphertext").StringOr("");
    model.api_key_key_id = value.Get("api_key_key_id").StringOr("");
    model.total_requests = value.Get("total_requests").Int64Or(0);
    model.successful_requests = value.Get("successful_requests").Int64Or(0);
    model.failed_requests = value.Get("failed_requests").Int64Or(0);
    // The exact sums; an API that does not send them gives the rounded average.
    model.timed_requests = value.Get("timed_requests").Int64Or(model.total_requests);
    model.response_time_sum_us =
        value.Get("response_time_sum_us")
            .Int64Or(value.Get("avg_response_time_ms").Int64Or(0) * 1000 * model.timed_requests);
    model.last_check_at = ReadTime(value.Get("last_check_at"));
    model.last_success_at = ReadTime(value.Get("last_success_at"));
    model.created_at = ReadTime(value.Get("created_at"));
    model.version = value.Get("version").Int64Or(0);
    model.last_24h_requests = value.Get("last_24h_requests").AsInt64();
    return model;
}

Result<std::vector<completion::ModelRecord>> ReadModels(std::string_view body,
                                                        std::size_t& skipped) {
    auto document = json::Parse(body, kLimits);
    if (!document || !document->root().IsArray()) {
        return Fail(ErrorKind::kProtocolError, "the data API's list of models is not a JSON array");
    }
    std::vector<completion::ModelRecord> models;
    models.reserve(document->root().size());
    skipped = 0;
    for (const auto& [key, value] : document->root()) {
        auto model = ReadModel(value);
        if (model) {
            models.push_back(std::move(*model));
        } else {
            ++skipped;
        }
    }
    return models;
}

rating::StoredRow StoredRowOf(const completion::ModelRecord& model) {
    rating::StoredRow row;
    row.model = model.id;
    row.version = Unsigned(model.version);
    row.counters.total_requests = Unsigned(model.total_requests);
    row.counters.successful_requests = Unsigned(model.successful_requests);
    row.counters.failed_requests = Unsigned(model.failed_requests);
    row.counters.response_time_sum_us = Unsigned(model.response_time_sum_us);
    row.counters.timed_requests = Unsigned(model.timed_requests);
    return row;
}

}  // namespace aim::data_client
