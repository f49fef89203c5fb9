#include "services/business_api/key_reader.hpp"

#include <utility>
#include <vector>

#include "core/base/time_format.hpp"
#include "core/json/json.hpp"

namespace aim::business_api {
namespace {

std::optional<security::ApiKeyEntry> ReadEntry(json::Value value) {
    security::ApiKeyEntry entry;
    entry.id = value.Get("id").StringOr("");
    const auto digest = security::ParseSha256(value.Get("hash").StringOr(""));
    if (entry.id.empty() || !digest || !value.Get("scopes").IsArray()) return std::nullopt;
    entry.digest = *digest;
    for (const auto& [key, name] : value.Get("scopes")) {
        if (const auto scope = security::ParseScope(name.StringOr("")))
            entry.scopes = static_cast<security::ScopeSet>(entry.scopes |
                                                           static_cast<security::ScopeSet>(*scope));
    }
    // A limit or an end that cannot be read must not become none.
    if (const json::Value limit = value.Get("rate_limit_per_minute");
        limit.exists() && !limit.IsNull()) {
        const auto number = limit.AsInt64();
        if (!number || *number < 0 || *number > UINT32_MAX) return std::nullopt;
        entry.rate_limit_per_minute = static_cast<std::uint32_t>(*number);
    }
    if (const json::Value until = value.Get("valid_until"); until.exists() && !until.IsNull()) {
        entry.valid_until = ParseRfc3339(until.StringOr(""));
        if (!entry.valid_until) return std::nullopt;
    }
    return entry;
}

}  // namespace

Result<std::shared_ptr<const security::ApiKeyTable>> ReadKeyTable(std::string_view body,
                                                                  KeyUses& uses,
                                                                  std::size_t& skipped) {
    auto document = json::Parse(body);
    if (!document || !document->root().Get("keys").IsArray()) {
        return Fail(ErrorKind::kProtocolError, "the data API's list of keys cannot be read");
    }
    const json::Value list = document->root().Get("keys");
    std::vector<security::ApiKeyEntry> entries;
    entries.reserve(list.size());
    KeyUses kept;
    skipped = 0;
    for (const auto& [key, value] : list) {
        auto entry = ReadEntry(value);
        if (!entry) {
            ++skipped;
            continue;
        }
        std::shared_ptr<security::ApiKeyUse>& use = kept[entry->id];
        if (use == nullptr) {
            const auto known = uses.find(entry->id);
            use = known == uses.end() ? std::make_shared<security::ApiKeyUse>() : known->second;
        }
        entry->use = use;
        entries.push_back(std::move(*entry));
    }
    uses = std::move(kept);
    return std::make_shared<const security::ApiKeyTable>(std::move(entries));
}

}  // namespace aim::business_api
