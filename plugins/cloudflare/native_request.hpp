// The canonical request as the body of Workers AI's /run. A pure function of its arguments.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "plugins/common/canonical_chat.hpp"

namespace aim::cloudflare {

// True with the body in `body` but for its last brace, so that `stream` can be added; else
// `refusal` says why, or, when it does not, the request is no JSON object.
bool WriteNativeRequest(std::string_view canonical, std::int64_t max_tokens, std::string& body,
                        native::Refusal& refusal);

}  // namespace aim::cloudflare
