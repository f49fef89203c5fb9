#include "services/data_api/handlers/key_handlers.hpp"

#include <utility>

#include "core/json/writer.hpp"
#include "services/data_api/database/key_repository.hpp"

namespace aim::data_api {
namespace {

http::Response KeyResponse(int status, const KeyRow& row, const KeySecret* secret = nullptr) {
    std::string body;
    json::Writer writer(body);
    WriteKey(writer, row, secret);
    http::Response response = http::Response::Json(status, std::move(body));
    response.headers.Add("Cache-Control", "no-store");
    return response;
}

Result<bool> WantsRevoked(const http::Request& request) {
    bool wanted = false;
    for (const std::string& name : QueryValues(request.query(), "include")) {
        if (name != "revoked") return FailField("include", "include may name revoked");
        wanted = true;
    }
    return wanted;
}

}  // namespace

http::Response KeyHandlers::NoSuchKey(const http::Request& request) const {
    return context_.Fail(request, "not_found", "There is no key with this id.", "id");
}

http::Response KeyHandlers::NotStored(const http::Request& request,
                                      const database::SqlError& error) const {
    if (error.IsUniqueViolation() && error.constraint == "api_keys_name_key") {
        return context_.Fail(request, "duplicate_name", "There is a key with this name already.",
                             "name");
    }
    if (error.IsUniqueViolation() && error.constraint == "api_keys_hash_key")
        return context_.Fail(request, "conflict", "This secret cannot be used again.", "secret");
    return context_.Fail(request, error);
}

http::Response KeyHandlers::List(const http::Request& request) const {
    const auto revoked = WantsRevoked(request);
    if (!revoked) return context_.Fail(request, revoked.error());
    auto lease = context_.Lease();
    if (!lease) return context_.Fail(request, lease.error());
    const auto rows = database::keys::List(*lease, *revoked);
    if (!rows) return context_.Fail(request, rows.error());
    std::string body;
    json::Writer writer(body);
    writer.BeginArray();
    for (const KeyRow& row : *rows) WriteKey(writer, row);
    writer.EndArray();
    return http::Response::Json(200, std::move(body));
}

http::Response KeyHandlers::Get(const http::Request& request,
                                const http::PathParameters& parameters) const {
    const auto id = PathId(parameters);
    if (!id) return context_.Fail(request, id.error());
    auto lease = context_.Lease();
    if (!lease) return context_.Fail(request, lease.error());
    const auto row = database::keys::Find(*lease, *id);
    if (!row) return context_.Fail(request, row.error());
    return *row ? KeyResponse(200, **row) : NoSuchKey(request);
}

http::Response KeyHandlers::Create(const http::Request& request) const {
    const auto body = ReadBody(request, false);
    if (!body) return context_.Fail(request, body.error());
    const WallTime now = SystemClock().WallNow();
    const auto key = ReadNewKey(body->root(), now);
    if (!key) return context_.Fail(request, key.error());
    auto lease = context_.Lease();
    if (!lease) return context_.Fail(request, lease.error());
    const Uuid id = Uuid::MakeV7(now, ThreadRandom());
    const auto row = database::keys::Insert(*lease, id, *key);
    if (!row) return NotStored(request, row.error());
    context_.logger.Info("key_created", "An API key was created",
                         {{telemetry::kRequestIdField, request.request_id},
                          {"key_id", id.ToString()},
                          {"name", row->name}});
    http::Response response = KeyResponse(201, *row, &key->secret);
    response.headers.Add("Location", "/api/v1/keys/" + id.ToString());
    return response;
}

http::Response KeyHandlers::Revoke(const http::Request& request,
                                   const http::PathParameters& parameters) const {
    const auto id = PathId(parameters);
    if (!id) return context_.Fail(request, id.error());
    auto lease = context_.Lease();
    if (!lease) return context_.Fail(request, lease.error());
    const auto row = database::keys::Revoke(*lease, *id);
    if (!row) return context_.Fail(request, row.error());
    if (!*row) return NoSuchKey(request);
    context_.logger.Info("key_revoked", "An API key was revoked",
                         {{telemetry::kRequestIdField, request.request_id},
                          {"key_id", id->ToString()},
                          {"name", (*row)->name}});
    http::Response response;
    response.status = 204;
    return response;
}

http::Response KeyHandlers::Rotate(const http::Request& request,
                                   const http::PathParameters& parameters) const {
    const auto id = PathId(parameters);
    if (!id) return context_.Fail(request, id.error());
    const auto body = ReadBody(request, false, true);
    if (!body) return context_.Fail(request, body.error());
    const auto rotation = ReadKeyRotation(body->root());
    if (!rotation) return context_.Fail(request, rotation.error());
    auto lease = context_.Lease();
    if (!lease) return context_.Fail(request, lease.error());
    const auto row = database::keys::Rotate(*lease, *id, *rotation);
    if (!row) return NotStored(request, row.error());
    if (!*row) {
        const auto known = database::keys::Find(*lease, *id);
        if (!known) return context_.Fail(request, known.error());
        if (!*known) return NoSuchKey(request);
        return (*known)->revoked_at
                   ? context_.Fail(request, "conflict", "This key is revoked.", "id")
                   : context_.Fail(request, "conflict", "This is the key's secret already.",
                                   "secret");
    }
    context_.logger.Info("key_rotated", "An API key has a new secret",
                         {{telemetry::kRequestIdField, request.request_id},
                          {"key_id", id->ToString()},
                          {"name", (*row)->name},
                          {"grace_ms", rotation->grace.count()}});
    return KeyResponse(200, **row, &rotation->secret);
}

http::Response KeyHandlers::Hashes(const http::Request& request) const {
    auto lease = context_.Lease();
    if (!lease) return context_.Fail(request, lease.error());
    if (const std::string_view known = request.headers.Find("If-None-Match"); !known.empty()) {
        const auto etag = database::keys::ReadEtag(*lease);
        if (!etag) return context_.Fail(request, etag.error());
        if (EtagMatches(known, *etag)) {
            http::Response unchanged;
            unchanged.status = 304;
            unchanged.headers.Add("ETag", *etag);
            return unchanged;
        }
    }
    const auto hashes = database::keys::ReadHashes(*lease);
    if (!hashes) return context_.Fail(request, hashes.error());
    std::string body;
    json::Writer writer(body);
    writer.BeginObject().Key("keys").BeginArray();
    for (const KeyHashRow& row : hashes->rows) WriteKeyHash(writer, row);
    writer.EndArray().EndObject();
    http::Response response = http::Response::Json(200, std::move(body));
    response.headers.Add("ETag", hashes->etag);
    response.headers.Add("Cache-Control", "no-cache");
    return response;
}

http::Response KeyHandlers::NoteUses(const http::Request& request) const {
    const auto body = ReadBody(request, false);
    if (!body) return context_.Fail(request, body.error());
    const auto uses = ReadKeyUses(body->root());
    if (!uses) return context_.Fail(request, uses.error());
    auto lease = context_.Lease();
    if (!lease) return context_.Fail(request, lease.error());
    const auto updated = database::keys::NoteUses(*lease, *uses);
    if (!updated) return context_.Fail(request, updated.error());
    std::string answer;
    json::Writer(answer).BeginObject().Field("updated", *updated).EndObject();
    return http::Response::Json(200, std::move(answer));
}

}  // namespace aim::data_api
