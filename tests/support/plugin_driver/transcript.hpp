// A recorded session as a text file, in sections:
//
//   == request      the canonical request's JSON; `== models` instead (empty) for aim.models/1
//   == embeddings   OpenAI's request object for aim.embeddings/1, in place of `request`
//   == settings     the row's settings, one JSON object; left out: {}
//   == endpoint     the row's endpoint; left out: the descriptor's default
//   == environment  settings of the descriptor that are no secrets, NAME=value each line
//   == sent         request line, headers, empty line, body: what the plugin must ask the host to
//                   send; left out: not compared
//   == answer       status, headers, empty line, body; `== answer truncated` for one that is cut
//   == events       the Recorder's lines that must come out
//
// A session of several round trips has `sent` and `answer` once for each, in their order. Lines
// before the first section are a remark. The last line end of a section does not count.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "tests/support/plugin_driver/plugin_driver.hpp"

namespace aim::plugin_driver {

enum class TranscriptKind { kChat, kModels, kEmbeddings };

struct Transcript {
    std::string name;
    TranscriptKind kind = TranscriptKind::kChat;
    std::string request;
    std::string row_settings = "{}";
    std::string endpoint;
    Headers environment;
    std::vector<std::string> sent;  // empty: not compared
    std::vector<Answer> answers;
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

// The session that the transcript tells of, with its answers arriving in these pieces.
Result Play(const Plugin& plugin, const Transcript& transcript, Splitter splitter);

}  // namespace aim::plugin_driver
