#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/base/result.hpp"
#include "core/security/api_key_table.hpp"

namespace aim::business_api {

// When each key was used last, by the key's id; handed on from one table to the next.
using KeyUses = std::unordered_map<std::string, std::shared_ptr<security::ApiKeyUse>>;

// The answer to GET /keys/hashes as a table. Scopes that this version does not know are left out,
// and so are entries that cannot be read: they are counted in `skipped`. Entries of keys that
// `uses` knows share their mark; it then holds the keys of the new table only. kProtocolError when
// the text is not such an answer.
Result<std::shared_ptr<const security::ApiKeyTable>> ReadKeyTable(std::string_view body,
                                                                  KeyUses& uses,
                                                                  std::size_t& skipped);

}  // namespace aim::business_api
