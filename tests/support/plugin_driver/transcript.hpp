// A recorded session as a text file, in sections:
//
//   == request    the canonical request's JSON
//   == sent       request line, headers, empty line, body: what the plugin must ask the host to
//   send
//   == answer     status, headers, empty line, body; `== answer truncated` for one that is cut
//   == events     the Recorder's lines that must come out
//
// Lines before the first section are a remark. The last line end of a section does not count.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "tests/support/plugin_driver/plugin_driver.hpp"

namespace aim::plugin_driver {

struct Transcript {
    std::string name;
    std::string request;
    std::string sent;  // empty: not compared
    Answer answer;
    std::vector<std::string> events;
};

// For the messages of parameterised tests.
inline std::ostream& operator<<(std::ostream& out, const Transcript& transcript) {
    return out << transcript.name;
}

// Throws std::runtime_error when a file is not of that form.
Transcript ReadTranscript(const std::string& path);

// All *.txt files of a folder, by name.
std::vector<Transcript> ReadTranscripts(const std::string& folder);

// A request in the form of the section `sent`.
std::string Describe(const SentRequest& request);

}  // namespace aim::plugin_driver
