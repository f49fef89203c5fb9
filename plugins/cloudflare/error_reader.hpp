// Cloudflare's errors ({"success":false,"errors":[{"code","message"}]}) as the ABI's error kinds.
#pragma once

#include <cstdint>
#include <string_view>

#include "aim/sdk/json.hpp"
#include "plugins/common/openai_error_reader.hpp"
#include "plugins/common/rate_limit_headers.hpp"

namespace aim::cloudflare {

openai::UpstreamError ReadErrorAnswer(int status, std::string_view body,
                                      const openai::RateLimitHints& hints,
                                      std::uint64_t now_unix_ms);

// Whether a 2xx answer or an event of a stream tells about a failure.
bool HasError(sdk::JsonValue root);

openai::UpstreamError ReadErrorObject(sdk::JsonValue root, std::uint64_t now_unix_ms);

}  // namespace aim::cloudflare
