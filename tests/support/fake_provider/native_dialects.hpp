// The words of the providers that do not speak OpenAI's dialect: Gemini, Anthropic, Cloudflare's
// native run, Replicate. Paths begin with /as/<name>/.
//
// Pure functions from a script step and the caller's request to a step with a ready body.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tests/support/fake_provider/script_step.hpp"

namespace aim::testing {

enum class NativeDialect { kGemini, kAnthropic, kCloudflare, kReplicate };

// What a request to one of them asks for.
struct NativeCall {
    NativeDialect dialect = NativeDialect::kGemini;
    std::string model;
    std::string last_user_text;
    std::string origin;  // scheme, host and port that the caller used
    bool stream = false;
    bool follows_up = false;  // Replicate: a question about a prediction, or its stream
    std::string refused;      // why this is no acceptable request
};

// Null for paths of other dialects.
std::optional<NativeCall> ReadNativeCall(std::string_view method, std::string_view target,
                                         std::string_view origin, std::string_view body);

// The step with the dialect's body, content type and faults in the place of the text that it
// scripts. A step that has a body of its own stays as it is.
ScriptStep InNativeWords(const ScriptStep& step, const NativeCall& call);

}  // namespace aim::testing
