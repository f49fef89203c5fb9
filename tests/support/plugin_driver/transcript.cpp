#include "tests/support/plugin_driver/transcript.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace aim::plugin_driver {
namespace {

std::vector<std::string> Lines(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        lines.push_back(line);
    }
    return lines;
}

Answer ReadAnswer(const std::string& section, const std::string& how, const std::string& path) {
    Answer answer;
    std::istringstream in(section);
    std::string line;
    std::getline(in, line);
    answer.status = static_cast<std::uint32_t>(std::stoul(line));
    while (std::getline(in, line) && !line.empty()) {
        const std::size_t colon = line.find(": ");
        if (colon == line.npos) {
            throw std::runtime_error(path + ": not a header: " + line);
        }
        answer.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    }
    std::ostringstream body;
    body << in.rdbuf();
    answer.body = body.str();
    answer.ending = how == "truncated" ? AIM_END_TRUNCATED : AIM_END_COMPLETE;
    return answer;
}

Headers ReadEnvironment(const std::string& section, const std::string& path) {
    Headers settings;
    for (const std::string& line : Lines(section)) {
        const std::size_t equals = line.find('=');
        if (equals == line.npos) {
            throw std::runtime_error(path + ": not a setting: " + line);
        }
        settings.emplace_back(line.substr(0, equals), line.substr(equals + 1));
    }
    return settings;
}

}  // namespace

Transcript ReadTranscript(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) {
        throw std::runtime_error("cannot read " + path);
    }
    Transcript transcript;
    transcript.name = std::filesystem::path(path).stem().string();
    std::string section;
    std::string how;
    std::string text;
    const auto close = [&] {
        if (section == "answer") {
            transcript.answers.push_back(ReadAnswer(text, how, path));
            return;
        }
        if (!text.empty() && text.back() == '\n') {
            text.pop_back();
        }
        if (section == "request") {
            transcript.request = text;
        } else if (section == "embeddings") {
            transcript.kind = TranscriptKind::kEmbeddings;
            transcript.request = text;
        } else if (section == "models") {
            transcript.kind = TranscriptKind::kModels;
        } else if (section == "settings") {
            transcript.row_settings = text;
        } else if (section == "endpoint") {
            transcript.endpoint = text;
        } else if (section == "environment") {
            transcript.environment = ReadEnvironment(text, path);
        } else if (section == "sent") {
            transcript.sent.push_back(text);
        } else if (section == "events") {
            transcript.events = Lines(text);
        } else if (!section.empty()) {
            throw std::runtime_error(path + ": unknown section " + section);
        }
    };
    for (std::string line; std::getline(in, line);) {
        if (line.rfind("== ", 0) == 0) {
            close();
            std::istringstream words(line.substr(3));
            section.clear();
            how.clear();
            words >> section >> how;
            text.clear();
        } else {
            text += line + "\n";
        }
    }
    close();
    const bool asks = !transcript.request.empty() || transcript.kind == TranscriptKind::kModels;
    if (!asks || transcript.events.empty()) {
        throw std::runtime_error(path + ": a transcript needs a request and events");
    }
    return transcript;
}

std::vector<Transcript> ReadTranscripts(const std::string& folder) {
    std::vector<std::string> paths;
    for (const auto& file : std::filesystem::directory_iterator(folder)) {
        if (file.path().extension() == ".txt") {
            paths.push_back(file.path().string());
        }
    }
    std::sort(paths.begin(), paths.end());
    std::vector<Transcript> transcripts;
    for (const std::string& path : paths) {
        transcripts.push_back(ReadTranscript(path));
    }
    return transcripts;
}

std::string Describe(const SentRequest& request) {
    std::string text = request.method + " " + request.url + "\n";
    for (const auto& [name, value] : request.headers) {
        text += name + ": " + value + "\n";
    }
    return text + "\n" + request.body;
}

Result Play(const Plugin& plugin, const Transcript& transcript, Splitter splitter) {
    Options options;
    options.row_settings = transcript.row_settings;
    options.endpoint = transcript.endpoint;
    options.environment = transcript.environment;
    options.splitter = std::move(splitter);
    switch (transcript.kind) {
        case TranscriptKind::kModels:
            return RunModels(plugin, transcript.answers, options);
        case TranscriptKind::kEmbeddings:
            return RunEmbeddings(plugin, transcript.request, transcript.answers, options);
        case TranscriptKind::kChat:
            break;
    }
    return RunChat(plugin, transcript.request, transcript.answers, options);
}

}  // namespace aim::plugin_driver
