// The canonical request in Gemini's words (generateContent). A pure function of its arguments.
#pragma once

#include <string>
#include <string_view>

#include "plugins/common/canonical_chat.hpp"
#include "plugins/gemini/settings.hpp"

namespace aim::gemini {

// The answer to a function call carries it back; see the README on signatures.
inline constexpr std::string_view kSkipSignature = "skip_thought_signature_validator";

struct WriteOptions {
    // Sends kSkipSignature for calls whose signature is not in the history.
    bool stand_in_signatures = false;
};

// True with the body in `body`; else `refusal` says why, or, when it does not, the request is no
// JSON object.
bool WriteRequest(std::string_view canonical, const Settings& settings, const WriteOptions& options,
                  std::string& body, native::Refusal& refusal);

}  // namespace aim::gemini
