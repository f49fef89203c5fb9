#include "services/data_api/records/model_record.hpp"

#include <algorithm>
#include <array>

#include "core/base/time_format.hpp"
#include "core/http/header_map.hpp"
#include "core/http/url.hpp"
#include "services/data_api/records/field_writer.hpp"
#include "services/data_api/records/text_repair.hpp"

namespace aim::data_api {
namespace {

constexpr std::size_t kNameCharacters = 100;
constexpr std::size_t kUpstreamModelCharacters = 200;
constexpr std::size_t kEndpointBytes = 2048;
constexpr std::size_t kApiKeyBytes = 8192;
constexpr std::size_t kSettingsBytes = 64 * 1024;
constexpr std::array<std::string_view, 5> kCapabilities = {"stream", "tools", "json_schema",
                                                           "vision", "embeddings"};
constexpr std::array<std::string_view, 5> kPositiveSettings = {
    "connect_timeout_ms", "first_content_timeout_ms", "between_content_timeout_ms",
    "attempt_timeout_ms", "health_check_max_tokens"};
constexpr std::array<std::string_view, 15> kServiceFields = {"id",
                                                             "has_api_key",
                                                             "reliability_score",
                                                             "avg_response_time_ms",
                                                             "error_rate_percent",
                                                             "total_requests",
                                                             "successful_requests",
                                                             "failed_requests",
                                                             "timed_requests",
                                                             "response_time_sum_us",
                                                             "last_check_at",
                                                             "last_success_at",
                                                             "created_at",
                                                             "updated_at",
                                                             "version"};

template <typename List>
bool Contains(const List& list, std::string_view text) {
    return std::find(list.begin(), list.end(), text) != list.end();
}

bool HasControlCharacter(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// What is wrong with a field, as a sentence that names it.
Unexpected Wrong(const std::string& field, std::string_view what) {
    return FailField(field, field + " " + std::string(what));
}

Result<std::string> ReadText(std::string_view field, json::Value value, std::size_t characters) {
    const auto text = value.AsString();
    if (!text) return Wrong(std::string(field), "must be a string");
    if (text->empty() || CountCharacters(*text) > characters) {
        return Wrong(std::string(field),
                     "must have 1 to " + std::to_string(characters) + " characters");
    }
    if (HasControlCharacter(*text))
        return Wrong(std::string(field), "must not have control characters");
    return std::string(*text);
}

Result<std::string> ReadName(json::Value value) {
    auto name = ReadText("name", value, kNameCharacters);
    if (name && http::EqualsIgnoreCase(*name, "auto"))
        return Wrong("name", "must not be 'auto', which means the best model");
    return name;
}

Result<std::string> ReadEndpoint(json::Value value) {
    const auto text = value.AsString();
    if (value.IsNull()) return std::string();
    if (!text) return Wrong("endpoint", "must be a string");
    if (text->empty()) return std::string();
    if (text->size() > kEndpointBytes || HasControlCharacter(*text))
        return Wrong("endpoint", "is too long or has control characters");
    if (!text->starts_with("mock://") && !http::Url::Parse(*text)) {
        return Wrong("endpoint",
                     "must be an http or https URL without user and fragment, or mock://…");
    }
    return std::string(*text);
}

Result<void> ReadSettings(json::Value value, ModelChange& change) {
    if (!value.IsObject()) return Wrong("settings", "must be an object");
    std::string text;
    json::Writer writer(text);
    writer.BeginObject();
    for (const auto& [key, setting] : value) {
        const std::string field = "settings." + std::string(key);
        if (key.empty() || key.size() > 200 || HasControlCharacter(key))
            return Wrong("settings", "has a name that is empty, too long or unprintable");
        if (setting.IsNull()) {
            change.removed_settings.emplace_back(key);
            continue;
        }
        if (Contains(kPositiveSettings, key) && setting.AsInt64().value_or(0) < 1)
            return Wrong(field, "must be an integer above 0");
        if (key == "health_check" && !setting.IsBool())
            return Wrong(field, "must be true or false");
        writer.Key(key).Raw(setting.ToJson());
    }
    writer.EndObject();
    if (text.size() > kSettingsBytes) return Wrong("settings", "must be at most 64 KiB");
    change.settings = std::move(text);
    return {};
}

Result<std::optional<std::int64_t>> ReadContextWindow(json::Value value) {
    if (value.IsNull()) return std::optional<std::int64_t>();
    const auto tokens = value.AsInt64();
    if (!tokens || *tokens < 1)
        return Wrong("context_window", "must be an integer above 0, or null");
    return tokens;
}

Result<std::optional<std::vector<std::string>>> ReadCapabilities(json::Value value) {
    if (value.IsNull()) return std::optional<std::vector<std::string>>();
    if (!value.IsArray()) return Wrong("capabilities", "must be an array of names, or null");
    std::vector<std::string> names;
    for (const auto& [key, entry] : value) {
        const auto name = entry.AsString();
        if (!name || !Contains(kCapabilities, *name)) {
            return Wrong("capabilities",
                         "must hold only stream, tools, json_schema, vision, embeddings");
        }
        if (!Contains(names, *name)) names.emplace_back(*name);
    }
    return std::optional(std::move(names));
}

Result<std::optional<std::string>> ReadPrice(std::string_view field, json::Value value) {
    if (value.IsNull()) return std::optional<std::string>();
    const std::string text = value.IsNumber() ? value.ToJson() : std::string(value.StringOr(""));
    if (!IsDecimal(text))
        return Wrong(std::string(field), "must be a decimal number such as \"0.59\", or null");
    return std::optional(text);
}

// It goes into a header: no line ends, and no white space at its ends, which a paste brings along.
Result<std::optional<SecretString>> ReadApiKey(json::Value value) {
    if (value.IsNull()) return std::optional<SecretString>();
    const auto text = value.AsString();
    if (!text) return Wrong("api_key", "must be a string, or null");
    if (text->empty() || text->size() > kApiKeyBytes || HasControlCharacter(*text) ||
        text->front() == ' ' || text->back() == ' ') {
        return Wrong("api_key",
                     "must have 1 to 8192 bytes, no control characters and no space around it");
    }
    return std::optional(SecretString(std::string(*text)));
}

// Assigns a read value, or hands its error on.
template <typename T, typename Target>
Result<void> Take(Result<T> value, Target& target) {
    if (!value) return Unexpected(std::move(value.error()));
    target = std::move(*value);
    return {};
}

Result<void> ReadField(std::string_view key, json::Value value, ModelChange& change) {
    if (key == "name") return Take(ReadName(value), change.name);
    if (key == "provider") return Take(ReadText(key, value, kNameCharacters), change.provider);
    if (key == "endpoint") return Take(ReadEndpoint(value), change.endpoint);
    if (key == "upstream_model") {
        if (value.IsNull()) return {};
        return Take(ReadText(key, value, kUpstreamModelCharacters), change.upstream_model);
    }
    if (key == "is_active") {
        if (!value.IsBool()) return Wrong("is_active", "must be true or false");
        change.is_active = value.AsBool();
        return {};
    }
    if (key == "settings") return ReadSettings(value, change);
    if (key == "context_window") return Take(ReadContextWindow(value), change.context_window);
    if (key == "capabilities") return Take(ReadCapabilities(value), change.capabilities);
    if (key == "input_price_per_million")
        return Take(ReadPrice(key, value), change.input_price_per_million);
    if (key == "output_price_per_million")
        return Take(ReadPrice(key, value), change.output_price_per_million);
    if (key == "api_key") return Take(ReadApiKey(value), change.api_key);
    if (Contains(kServiceFields, key))
        return Wrong(std::string(key), "is written by the service and cannot be set");
    return Wrong(std::string(key), "is not a field of a model");
}

void WriteDecimal(json::Writer& writer, std::string_view key, const std::string& decimal) {
    writer.Key(key);
    if (decimal.empty()) {
        writer.Null();
    } else {
        writer.String(decimal);
    }
}

}  // namespace

bool IsDecimal(std::string_view text) {
    const std::size_t point = std::min(text.find('.'), text.size());
    const std::string_view whole = text.substr(0, point);
    const std::string_view fraction =
        point == text.size() ? std::string_view("0") : text.substr(point + 1);
    const auto digits = [](std::string_view part) {
        return !part.empty() && part.size() <= 20 &&
               std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
    };
    return digits(whole) && digits(fraction);
}

Result<ModelChange> ReadModelChange(json::Value body) {
    if (!body.IsObject()) return FailField("", "the body must be an object");
    ModelChange change;
    for (const auto& [key, value] : body) {
        if (auto read = ReadField(key, value, change); !read)
            return Unexpected(std::move(read.error()));
    }
    return change;
}

Result<void> CheckNewModel(const ModelChange& change) {
    if (!change.name) return Wrong("name", "is required");
    if (!change.provider) return Wrong("provider", "is required");
    return {};
}

rating::Counters CountersOf(const completion::ModelRecord& record) {
    rating::Counters counters;
    counters.total_requests = record.total_requests;
    counters.successful_requests = record.successful_requests;
    counters.failed_requests = record.failed_requests;
    counters.response_time_sum_us = record.response_time_sum_us;
    counters.timed_requests = record.timed_requests;
    return counters;
}

void SortBestFirst(std::vector<ModelRow>& rows) {
    struct Ranked {
        rating::Rank rank;
        std::size_t position;
    };
    std::vector<Ranked> order;
    order.reserve(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const rating::Counters counters = CountersOf(rows[i].record);
        order.push_back({{rating::ComputeReliability(counters).reliability_score,
                          counters.total_requests, rows[i].record.name},
                         i});
    }
    std::sort(order.begin(), order.end(), [](const Ranked& a, const Ranked& b) {
        return rating::Rank::Better(a.rank, b.rank);
    });
    std::vector<ModelRow> sorted;
    sorted.reserve(rows.size());
    for (const Ranked& entry : order) sorted.push_back(std::move(rows[entry.position]));
    rows = std::move(sorted);
}

void WriteModel(json::Writer& writer, const ModelRow& row, bool with_ciphertext) {
    const completion::ModelRecord& record = row.record;
    const rating::Reliability reliability = rating::ComputeReliability(CountersOf(record));
    writer.BeginObject();
    writer.Field("id", record.id.ToString())
        .Field("name", record.name)
        .Field("provider", record.provider);
    writer.Field("endpoint", record.endpoint)
        .Field("upstream_model", record.upstream_model)
        .Field("is_active", record.is_active);
    writer.Key("settings").Raw(record.settings);
    writer.Field("context_window", record.context_window);
    writer.Key("capabilities");
    if (record.capabilities) {
        writer.BeginArray();
        for (const std::string& name : *record.capabilities) writer.String(name);
        writer.EndArray();
    } else {
        writer.Null();
    }
    WriteDecimal(writer, "input_price_per_million", record.input_price_per_million);
    WriteDecimal(writer, "output_price_per_million", record.output_price_per_million);
    writer.Field("has_api_key", record.has_api_key);
    if (with_ciphertext) {
        writer.Field("api_key_ciphertext", row.api_key_ciphertext)
            .Field("api_key_key_id", row.api_key_key_id);
    }
    writer.Key("reliability_score").Decimal(reliability.reliability_score.ToDouble());
    writer.Field("avg_response_time_ms", reliability.avg_response_time_ms);
    writer.Key("error_rate_percent").Decimal(reliability.error_rate_percent.ToDouble());
    writer.Field("total_requests", record.total_requests)
        .Field("successful_requests", record.successful_requests);
    writer.Field("failed_requests", record.failed_requests);
    // The exact sums, so that other processes rate as this one does.
    writer.Field("timed_requests", record.timed_requests)
        .Field("response_time_sum_us", record.response_time_sum_us);
    if (record.last_24h_requests) writer.Field("last_24h_requests", *record.last_24h_requests);
    WriteTime(writer, "last_check_at", record.last_check_at);
    WriteTime(writer, "last_success_at", record.last_success_at);
    WriteTime(writer, "created_at", record.created_at);
    WriteTime(writer, "updated_at", row.updated_at);
    writer.Field("version", record.version);
    writer.EndObject();
}

void WriteModelStats(json::Writer& writer, const ModelRow& row) {
    const completion::ModelRecord& record = row.record;
    const rating::Reliability reliability = rating::ComputeReliability(CountersOf(record));
    writer.BeginObject();
    writer.Field("model_id", record.id.ToString())
        .Field("name", record.name)
        .Field("provider", record.provider);
    writer.Field("total_requests", record.total_requests)
        .Field("successful_requests", record.successful_requests);
    writer.Field("failed_requests", record.failed_requests);
    writer.Key("success_rate").Decimal(reliability.success_rate.ToDouble());
    writer.Field("avg_response_time_ms", reliability.avg_response_time_ms);
    writer.Key("reliability_score").Decimal(reliability.reliability_score.ToDouble());
    writer.Field("last_24h_requests", record.last_24h_requests.value_or(0));
    WriteTime(writer, "last_check_at", record.last_check_at);
    writer.EndObject();
}

}  // namespace aim::data_api
