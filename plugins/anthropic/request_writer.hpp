// The canonical request in the words of Anthropic's Messages API. A pure function of its arguments.
#pragma once

#include <string>
#include <string_view>

#include "plugins/anthropic/settings.hpp"
#include "plugins/common/canonical_chat.hpp"

namespace aim::anthropic {

// True with the body in `body`; else `refusal` says why, or, when it does not, the request is no
// JSON object.
bool WriteRequest(std::string_view canonical, const Settings& settings, std::string& body,
                  native::Refusal& refusal);

}  // namespace aim::anthropic
