// The canonical request as a prediction's body. A pure function of its arguments.
#pragma once

#include <string>
#include <string_view>

#include "plugins/common/canonical_chat.hpp"
#include "plugins/replicate/settings.hpp"

namespace aim::replicate {

// True with the body in `body`; else `refusal` says why, or, when it does not, the request is no
// JSON object. `version` is sent when not empty.
bool WriteRequest(std::string_view canonical, const Settings& settings, std::string_view version,
                  std::string& body, native::Refusal& refusal);

}  // namespace aim::replicate
