// A conversation in Gemini's words: `systemInstruction`, and `contents` with their parts, tool
// calls, tool results, files and thought signatures. A pure function of its arguments.
#pragma once

#include <string_view>

#include "plugins/common/canonical_chat.hpp"
#include "plugins/common/json_writer.hpp"

namespace aim::gemini {

// Stands in for a signature that is not in the history; see the README on signatures.
inline constexpr std::string_view kSkipSignature = "skip_thought_signature_validator";

struct WriteOptions {
    // Sends kSkipSignature for calls whose signature is not in the history.
    bool stand_in_signatures = false;
};

// Writes both members into the object that `writer` has open; `refusal` says what Gemini does not
// take.
void WriteContents(sdk::JsonValue messages, const WriteOptions& options, native::JsonWriter& writer,
                   native::Refusal& refusal);

}  // namespace aim::gemini
