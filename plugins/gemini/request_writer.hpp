// The canonical request in Gemini's words (generateContent). A pure function of its arguments.
#pragma once

#include <string>
#include <string_view>

#include "plugins/common/canonical_chat.hpp"
#include "plugins/gemini/contents_writer.hpp"
#include "plugins/gemini/settings.hpp"

namespace aim::gemini {

// True with the body in `body`; else `refusal` says why, or, when it does not, the request is no
// JSON object.
bool WriteRequest(std::string_view canonical, const Settings& settings, const WriteOptions& options,
                  std::string& body, native::Refusal& refusal);

}  // namespace aim::gemini
