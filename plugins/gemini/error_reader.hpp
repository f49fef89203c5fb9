// Google's error bodies ({"error":{code,message,status,details}}, also in an array of one) as the
// ABI's error kinds.
#pragma once

#include <cstdint>
#include <string_view>

#include "aim/sdk/json.hpp"
#include "plugins/common/openai_error_reader.hpp"
#include "plugins/common/rate_limit_headers.hpp"

namespace aim::gemini {

openai::UpstreamError ReadErrorAnswer(int status, std::string_view body,
                                      const openai::RateLimitHints& hints,
                                      std::uint64_t now_unix_ms);

// An error inside a 200.
openai::UpstreamError ReadErrorObject(sdk::JsonValue root, std::uint64_t now_unix_ms);

// Whether the error is about a function call whose signature is not in the history.
bool MissesSignature(const openai::UpstreamError& error);

// How long until the next midnight in the Pacific time zone, when daily quotas begin anew.
std::int64_t MsUntilPacificMidnight(std::uint64_t now_unix_ms);

}  // namespace aim::gemini
