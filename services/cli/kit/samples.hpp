#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "services/cli/kit/session_run.hpp"

namespace aim::cli::kit {

// A good answer in the words of some provider.
struct Sample {
    std::string name;
    bool streamed = false;  // the answer to a streamed request
    Answer answer;
};

// Answers of the dialects that many providers speak, whole and streamed. A plugin that understands
// none of them needs one of its own provider: ReadSample.
const std::vector<Sample>& BuiltInSamples();

// An answer from a file: status line, headers, an empty line, the body, as HTTP/1.1 shows them
// (line ends may be plain; the body is taken as it stands). Streamed when its content type is
// text/event-stream or its name contains "stream".
Result<Sample> ReadSample(const std::filesystem::path& file);

}  // namespace aim::cli::kit
