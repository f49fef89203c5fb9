#include "services/data_api/records/key_record.hpp"

#include <algorithm>
#include <array>

#include "core/base/time_format.hpp"
#include "core/security/random_bytes.hpp"
#include "core/security/scope.hpp"
#include "services/data_api/records/field_reader.hpp"
#include "services/data_api/records/field_writer.hpp"
#include "services/data_api/records/text_repair.hpp"

namespace aim::data_api {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kKeyNameCharacters = 100;
constexpr std::size_t kShortestSecret = 20;
constexpr std::size_t kLongestSecret = 256;
constexpr std::size_t kPrefixCharacters = 8;
constexpr std::int64_t kMostPerMinute = 1'000'000'000;
constexpr milliseconds kDefaultGrace = std::chrono::hours(1);
constexpr milliseconds kLongestGrace = std::chrono::hours(24 * 366);

bool IsPrintable(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

// A secret of the caller's own goes into headers, and is long enough that its hash cannot be
// searched for.
void ReadSecret(FieldReader& reader, KeySecret& secret) {
    const auto given = reader.LongText("secret");
    if (!given) {
        secret.text = SecretString(security::MakeApiKey());
        secret.made_here = true;
        return;
    }
    if (given->size() < kShortestSecret || given->size() > kLongestSecret || !IsPrintable(*given)) {
        reader.Fail("secret", "must have 20 to 256 printable ASCII characters without spaces");
        return;
    }
    secret.text = SecretString(std::string(*given));
}

void ReadScopes(FieldReader& reader, std::vector<std::string>& scopes) {
    const json::Value list = reader.Raw("scopes");
    if (!list.exists() || list.IsNull()) {
        scopes = {"prompts", "history"};
        return;
    }
    bool good = list.IsArray() && list.size() > 0;
    if (good) {
        for (const auto& [key, entry] : list) {
            const std::string name(entry.StringOr(""));
            good = good && security::ParseScope(name).has_value();
            if (std::find(scopes.begin(), scopes.end(), name) == scopes.end())
                scopes.push_back(name);
        }
    }
    if (!good)
        reader.Fail("scopes", "must be an array with one or more of prompts, history, admin");
}

Result<void> Finish(const FieldReader& reader) {
    if (reader.error()) return Unexpected(*reader.error());
    return {};
}

void WriteNames(json::Writer& writer, const std::vector<std::string>& names) {
    writer.BeginArray();
    for (const std::string& name : names) writer.String(name);
    writer.EndArray();
}

}  // namespace

std::string KeySecret::prefix() const {
    return std::string(text.Reveal().substr(0, kPrefixCharacters));
}

Result<NewKey> ReadNewKey(json::Value body, WallTime now) {
    if (!body.IsObject()) return FailField("", "The body must be an object.");
    FieldReader reader(body);
    NewKey key;
    const auto name = reader.LongText("name");
    reader.Require("name", name && !name->empty());
    if (name) {
        key.name = *name;
        const bool unprintable = std::any_of(name->begin(), name->end(), [](char c) {
            return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
        });
        if (CountCharacters(*name) > kKeyNameCharacters || unprintable)
            reader.Fail("name", "must have 1 to 100 characters and no control characters");
    }
    ReadScopes(reader, key.scopes);
    key.expires_at = reader.Time("expires_at");
    if (key.expires_at && *key.expires_at <= now)
        reader.Fail("expires_at", "must be in the future");
    key.rate_limit_per_minute = reader.Count("rate_limit_per_minute");
    if (key.rate_limit_per_minute.value_or(0) > kMostPerMinute)
        reader.Fail("rate_limit_per_minute", "must be at most 1000000000");
    ReadSecret(reader, key.secret);
    reader.RefuseOthers(std::array<std::string_view, 5>{"name", "scopes", "expires_at",
                                                        "rate_limit_per_minute", "secret"});
    if (auto finished = Finish(reader); !finished) return Unexpected(std::move(finished.error()));
    return key;
}

Result<KeyRotation> ReadKeyRotation(json::Value body) {
    if (body.exists() && !body.IsObject()) return FailField("", "The body must be an object.");
    FieldReader reader(body);
    KeyRotation rotation;
    const auto grace = reader.Count("grace_ms");
    if (grace.value_or(0) > kLongestGrace.count())
        reader.Fail("grace_ms", "must be at most 31622400000, 366 days");
    rotation.grace = grace ? milliseconds(*grace) : kDefaultGrace;
    ReadSecret(reader, rotation.secret);
    reader.RefuseOthers(std::array<std::string_view, 2>{"grace_ms", "secret"});
    if (auto finished = Finish(reader); !finished) return Unexpected(std::move(finished.error()));
    return rotation;
}

Result<std::vector<KeyUseRecord>> ReadKeyUses(json::Value body) {
    const json::Value list = body.Get("keys");
    if (!list.IsArray() || list.size() > kMostKeyUses)
        return FailField("keys", "keys must be an array of at most 1000 records");
    std::vector<KeyUseRecord> uses;
    uses.reserve(list.size());
    for (const auto& [key, entry] : list) {
        if (!entry.IsObject()) return FailField("keys", "keys must hold objects");
        FieldReader reader(entry);
        const auto id = reader.Id("id");
        reader.Require("id", id.has_value());
        const auto time = reader.Time("last_used_at");
        reader.Require("last_used_at", time.has_value());
        reader.RefuseOthers(std::array<std::string_view, 2>{"id", "last_used_at"});
        if (auto finished = Finish(reader); !finished)
            return Unexpected(std::move(finished.error()));
        uses.push_back({*id, *time});
    }
    return uses;
}

void WriteKey(json::Writer& writer, const KeyRow& row, const KeySecret* secret) {
    writer.BeginObject()
        .Field("id", row.id.ToString())
        .Field("name", row.name)
        .Field("prefix", row.prefix);
    writer.Key("scopes");
    WriteNames(writer, row.scopes);
    WriteTime(writer, "expires_at", row.expires_at);
    writer.Field("rate_limit_per_minute", row.rate_limit_per_minute);
    WriteTime(writer, "previous_valid_until", row.previous_valid_until);
    WriteTime(writer, "last_used_at", row.last_used_at);
    WriteTime(writer, "created_at", row.created_at);
    WriteTime(writer, "rotated_at", row.rotated_at);
    WriteTime(writer, "revoked_at", row.revoked_at);
    if (secret != nullptr && secret->made_here) writer.Field("secret", secret->text.Reveal());
    writer.EndObject();
}

void WriteKeyHash(json::Writer& writer, const KeyHashRow& row) {
    writer.BeginObject().Field("id", row.id.ToString()).Field("hash", row.hash);
    writer.Key("scopes");
    WriteNames(writer, row.scopes);
    WriteTime(writer, "valid_until", row.valid_until);
    writer.Field("rate_limit_per_minute", row.rate_limit_per_minute).EndObject();
}

}  // namespace aim::data_api
