#include "services/data_api/handlers/model_handlers.hpp"

#include <algorithm>
#include <array>

#include "core/http/url.hpp"
#include "core/security/encoding.hpp"
#include "services/data_api/database/model_repository.hpp"
#include "services/data_api/records/field_reader.hpp"
#include "services/data_api/records/model_record.hpp"

namespace aim::data_api {
namespace {

using database::models::Filter;
using database::models::Listing;

constexpr std::size_t kMostCiphertext = 16 * 1024;

http::Response ModelResponse(int status, const ModelRow& row) {
    std::string body;
    json::Writer writer(body);
    WriteModel(writer, row);
    return http::Response::Json(status, std::move(body));
}

Result<Filter> ReadFilter(const http::Request& request) {
    const auto is_active = QueryFlag(request, "is_active");
    if (!is_active) return Unexpected(is_active.error());
    const auto active_only = QueryFlag(request, "active_only");
    if (!active_only) return Unexpected(active_only.error());
    Filter filter{*is_active};
    if (active_only->value_or(false)) filter.is_active = true;
    return filter;
}

struct Include {
    bool last_24h = false;
    bool ciphertext = false;
};

Result<Include> ReadInclude(const http::Request& request) {
    Include include;
    for (const std::string& list : QueryValues(request.query(), "include")) {
        std::string_view rest = list;
        while (!rest.empty()) {
            const std::string_view name = rest.substr(0, rest.find(','));
            rest.remove_prefix(std::min(name.size() + 1, rest.size()));
            if (name == "last_24h") {
                include.last_24h = true;
            } else if (name == "ciphertext") {
                include.ciphertext = true;
            } else if (!name.empty()) {
                return FailField("include", "include may name last_24h and ciphertext");
            }
        }
    }
    return include;
}

}  // namespace

http::Response ModelHandlers::NoSuchModel(const http::Request& request) const {
    return context_.Fail(request, "not_found", "There is no model with this id.", "id");
}

http::Response ModelHandlers::NoCiphertexts(const http::Request& request) const {
    return context_.Fail(request, "forbidden",
                         "Ciphertexts are for callers with a service token, and this server has no "
                         "DATA_API_TOKEN.",
                         "include");
}

Result<void> ModelHandlers::Seal(const Uuid& id, ModelChange& change) const {
    if (!change.api_key || !*change.api_key) return {};
    if (!context_.master_key) {
        return FailField("api_key",
                         "keys in rows are not supported by this server: it has no MASTER_KEY to "
                         "encrypt them with",
                         "unsupported");
    }
    const security::MasterKey& master_key = *context_.master_key;
    change.sealed_key =
        SealedKey{master_key.Encrypt((*change.api_key)->Reveal(), id.ToString()), master_key.id()};
    return {};
}

http::Response ModelHandlers::NotStored(const http::Request& request,
                                        const database::SqlError& error) const {
    if (error.IsUniqueViolation() && error.constraint == "ai_models_name_key") {
        return context_.Fail(request, "duplicate_name", "There is a model with this name already.",
                             "name");
    }
    return context_.Fail(request, error);
}

http::Response ModelHandlers::List(const http::Request& request) const {
    const auto filter = ReadFilter(request);
    if (!filter) return context_.Fail(request, filter.error());
    const auto include = ReadInclude(request);
    if (!include) return context_.Fail(request, include.error());
    if (include->ciphertext && !context_.token_required) return NoCiphertexts(request);
    auto lease = context_.Lease();
    if (!lease) return context_.Fail(request, lease.error());
    // A day's count changes without any row, so such an answer has no ETag.
    const std::string_view known =
        include->last_24h ? std::string_view() : request.headers.Find("If-None-Match");
    if (!known.empty()) {
        const auto fingerprint = ReadFingerprint(*lease, *filter);
        if (!fingerprint) return context_.Fail(request, fingerprint.error());
        const std::string etag = fingerprint->ToEtag();
        if (EtagMatches(known, etag)) {
            http::Response unchanged;
            unchanged.status = 304;
            unchanged.headers.Add("ETag", etag);
            return unchanged;
        }
    }
    auto listing = database::models::List(*lease, *filter, include->last_24h);
    if (!listing) return context_.Fail(request, listing.error());
    SortBestFirst(listing->rows);
    std::string body;
    json::Writer writer(body);
    writer.BeginArray();
    for (const ModelRow& row : listing->rows) WriteModel(writer, row, include->ciphertext);
    writer.EndArray();
    http::Response response = http::Response::Json(200, std::move(body));
    if (!include->last_24h) response.headers.Add("ETag", listing->fingerprint.ToEtag());
    response.headers.Add("Cache-Control", "no-cache");
    return response;
}

http::Response ModelHandlers::Best(const http::Request& request) const {
    std::vector<Uuid> excluded;
    for (const std::string& text : QueryValues(request.query(), "exclude")) {
        const auto id = Uuid::Parse(text);
        if (!id)
            return context_.Fail(request, "invalid_id", "exclude must be the id of a model.",
                                 "exclude");
        excluded.push_back(*id);
    }
    auto lease = context_.Lease();
    if (!lease) return context_.Fail(request, lease.error());
    auto listing = database::models::List(*lease, Filter{true}, false);
    if (!listing) return context_.Fail(request, listing.error());
    std::erase_if(listing->rows, [&](const ModelRow& row) {
        return std::find(excluded.begin(), excluded.end(), row.record.id) != excluded.end();
    });
    if (listing->rows.empty())
        return context_.Fail(request, "not_found", "There is no active model left.");
    SortBestFirst(listing->rows);
    return ModelResponse(200, listing->rows.front());
}

http::Response ModelHandlers::AllStats(const http::Request& request) const {
    const std::vector<std::string> window = QueryValues(request.query(), "window");
    if (!window.empty() && window.front() != "24h")
        return context_.Fail(request, "invalid_request", "window can only be 24h.", "window");
    const auto filter = ReadFilter(request);
    if (!filter) return context_.Fail(request, filter.error());
    auto lease = context_.Lease();
    if (!lease) return context_.Fail(request, lease.error());
    auto listing = database::models::List(*lease, *filter, true);
    if (!listing) return context_.Fail(request, listing.error());
    SortBestFirst(listing->rows);
    std::string body;
    json::Writer writer(body);
    writer.BeginArray();
    for (const ModelRow& row : listing->rows) WriteModelStats(writer, row);
    writer.EndArray();
    return http::Response::Json(200, std::move(body));
}

http::Response ModelHandlers::Get(const http::Request& request,
                                  const http::PathParameters& parameters) const {
    const auto id = PathId(parameters);
    if (!id) return context_.Fail(request, id.error());
    const auto include = ReadInclude(request);
    if (!include) return context_.Fail(request, include.error());
    auto lease = context_.Lease();
    if (!lease) return context_.Fail(request, lease.error());
    const auto row = database::models::Find(*lease, *id, include->last_24h);
    if (!row) return context_.Fail(request, row.error());
    return *row ? ModelResponse(200, **row) : NoSuchModel(request);
}

http::Response ModelHandlers::Stats(const http::Request& request,
                                    const http::PathParameters& parameters) const {
    const auto id = PathId(parameters);
    if (!id) return context_.Fail(request, id.error());
    auto lease = context_.Lease();
    if (!lease) return context_.Fail(request, lease.error());
    const auto row = database::models::Find(*lease, *id, true);
    if (!row) return context_.Fail(request, row.error());
    if (!*row) return NoSuchModel(request);
    std::string body;
    json::Writer writer(body);
    WriteModelStats(writer, **row);
    return http::Response::Json(200, std::move(body));
}

http::Response ModelHandlers::Create(const http::Request& request) const {
    const auto body = ReadBody(request, false);
    if (!body) return context_.Fail(request, body.error());
    auto change = ReadModelChange(body->root());
    if (!change) return context_.Fail(request, change.error());
    if (const auto complete = CheckNewModel(*change); !complete)
        return context_.Fail(request, complete.error());
    const Uuid id = Uuid::MakeV7(SystemClock().WallNow(), ThreadRandom());
    if (const auto sealed = Seal(id, *change); !sealed)
        return context_.Fail(request, sealed.error());
    auto lease = context_.Lease();
    if (!lease) return context_.Fail(request, lease.error());
    const auto row = database::models::Insert(*lease, id, *change);
    if (!row) return NotStored(request, row.error());
    context_.logger.Info("model_created", "A model was created",
                         {{telemetry::kRequestIdField, request.request_id},
                          {"model", row->record.name},
                          {"provider", row->record.provider}});
    http::Response response = ModelResponse(201, *row);
    response.headers.Add("Location", "/api/v1/models/" + id.ToString());
    return response;
}

http::Response ModelHandlers::Change(const http::Request& request,
                                     const http::PathParameters& parameters) const {
    const auto id = PathId(parameters);
    if (!id) return context_.Fail(request, id.error());
    const auto body = ReadBody(request, false);
    if (!body) return context_.Fail(request, body.error());
    auto change = ReadModelChange(body->root());
    if (!change) return context_.Fail(request, change.error());
    if (const auto sealed = Seal(*id, *change); !sealed)
        return context_.Fail(request, sealed.error());
    auto lease = context_.Lease();
    if (!lease) return context_.Fail(request, lease.error());
    const auto row = database::models::Update(*lease, *id, *change);
    if (!row) return NotStored(request, row.error());
    if (!*row) return NoSuchModel(request);
    context_.logger.Info(
        "model_changed", "A model was changed",
        {{telemetry::kRequestIdField, request.request_id}, {"model", (*row)->record.name}});
    return ModelResponse(200, **row);
}

http::Response ModelHandlers::ReplaceKey(const http::Request& request,
                                         const http::PathParameters& parameters) const {
    const auto id = PathId(parameters);
    if (!id) return context_.Fail(request, id.error());
    if (!context_.token_required) return NoCiphertexts(request);
    const auto body = ReadBody(request, false);
    if (!body) return context_.Fail(request, body.error());
    if (!body->root().IsObject())
        return context_.Fail(request, "invalid_request", "The body must be an object.");
    FieldReader reader(body->root());
    const auto read = [&reader](std::string_view field) {
        const auto bytes = security::Base64Decode(reader.LongText(field).value_or(""));
        if (!bytes || bytes->size() < security::kShortestCiphertext ||
            bytes->size() > kMostCiphertext)
            reader.Fail(field, "must be a ciphertext in Base64");
        return bytes.value_or("");
    };
    SealedKey key;
    key.ciphertext = read("api_key_ciphertext");
    const std::string known = read("known_ciphertext");
    key.key_id = reader.LongText("api_key_key_id").value_or("");
    if (key.key_id.size() != 16 || !security::HexDecode(key.key_id))
        reader.Fail("api_key_key_id", "must be the 16 hexadecimal digits of a master key's id");
    reader.RefuseOthers(std::array<std::string_view, 3>{"api_key_ciphertext", "api_key_key_id",
                                                        "known_ciphertext"});
    if (reader.error()) return context_.Fail(request, *reader.error());
    auto lease = context_.Lease();
    if (!lease) return context_.Fail(request, lease.error());
    const auto row = database::models::ReplaceKey(*lease, *id, key, known);
    if (!row) return context_.Fail(request, row.error());
    if (*row) {
        context_.logger.Info("model_key_reencrypted",
                             "A model's key is stored under another master key",
                             {{telemetry::kRequestIdField, request.request_id},
                              {"model", (*row)->record.name},
                              {"master_key_id", key.key_id}});
        return ModelResponse(200, **row);
    }
    const auto there = database::models::Find(*lease, *id, false);
    if (!there) return context_.Fail(request, there.error());
    if (!*there) return NoSuchModel(request);
    return context_.Fail(request, "conflict", "The model has another key by now.",
                         "known_ciphertext");
}

http::Response ModelHandlers::Delete(const http::Request& request,
                                     const http::PathParameters& parameters) const {
    const auto id = PathId(parameters);
    if (!id) return context_.Fail(request, id.error());
    auto lease = context_.Lease();
    if (!lease) return context_.Fail(request, lease.error());
    const auto deleted = database::models::Delete(*lease, *id);
    if (!deleted) return context_.Fail(request, deleted.error());
    if (!*deleted) return NoSuchModel(request);
    context_.logger.Info(
        "model_deleted", "A model was deleted",
        {{telemetry::kRequestIdField, request.request_id}, {"model_id", id->ToString()}});
    http::Response response;
    response.status = 204;
    return response;
}

http::Response ModelHandlers::AddStats(const http::Request& request,
                                       const http::PathParameters& parameters) const {
    const auto id = PathId(parameters);
    if (!id) return context_.Fail(request, id.error());
    const auto body = ReadBody(request, false);
    if (!body) return context_.Fail(request, body.error());
    if (!body->root().IsObject())
        return context_.Fail(request, "invalid_request", "The body must be an object.");
    FieldReader reader(body->root());
    const auto success = reader.Flag("success");
    const auto time = reader.Duration("response_time_ms");
    reader.Require("response_time_ms", time.has_value());
    reader.Require("success", success.has_value());
    reader.RefuseOthers(std::array<std::string_view, 2>{"response_time_ms", "success"});
    if (reader.error()) return context_.Fail(request, *reader.error());
    return Count(request, *id, *success, time);
}

http::Response ModelHandlers::Increment(const http::Request& request,
                                        const http::PathParameters& parameters,
                                        bool success) const {
    const auto id = PathId(parameters);
    if (!id) return context_.Fail(request, id.error());
    const auto body = ReadBody(request, false, true);
    if (!body) return context_.Fail(request, body.error());
    if (body->root().exists() && !body->root().IsObject())
        return context_.Fail(request, "invalid_request", "The body must be an object.");
    FieldReader reader(body->root());
    const auto time = reader.Duration("response_time_ms");
    reader.RefuseOthers(std::array<std::string_view, 1>{"response_time_ms"});
    if (reader.error()) return context_.Fail(request, *reader.error());
    return Count(request, *id, success, time);
}

http::Response ModelHandlers::Count(const http::Request& request, const Uuid& id, bool success,
                                    std::optional<std::int64_t> response_time_us) const {
    auto lease = context_.Lease();
    if (!lease) return context_.Fail(request, lease.error());
    const auto row = database::models::Count(*lease, id, success, response_time_us);
    if (!row) return context_.Fail(request, row.error());
    return *row ? ModelResponse(200, **row) : NoSuchModel(request);
}

}  // namespace aim::data_api
