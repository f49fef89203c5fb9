// The provider plugins inside a fuzzer, driven through the C ABI by the test's host.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/plugin_driver/plugin_driver.hpp"
#include "tests/support/plugin_driver/transcript.hpp"

namespace aim::fuzz {

// Append only: an input names its plugin by the place in this list.
inline constexpr std::array kPlugins = {
    "anthropic",  "cerebras",    "cloudflare", "deepseek", "gemini",
    "groq",       "huggingface", "mistral",    "openai",   "openai_compatible",
    "openrouter", "replicate",   "sambanova",  "together", "xai"};

// A plugin with a row that it takes: endpoint and settings are those of its first transcripts.
struct Subject {
    explicit Subject(const std::string& name)
        : plugin(std::string(AIM_BINARY_DIR) + "/plugins/" + name + ".so"),
          plain(plugin_driver::ReadTranscript(Folder(name) + "01_plain.txt")),
          stream(plugin_driver::ReadTranscript(Folder(name) + "02_stream.txt")),
          polls(stream.answers.size() > 1) {}

    static std::string Folder(const std::string& name) {
        return std::string(AIM_SOURCE_DIR) + "/tests/plugins/" + name + "/transcripts/";
    }

    plugin_driver::Options Options() const {
        plugin_driver::Options options;
        options.row_settings = plain.row_settings;
        options.endpoint = plain.endpoint;
        options.environment = plain.environment;
        return options;
    }

    plugin_driver::Plugin plugin;
    plugin_driver::Transcript plain;
    plugin_driver::Transcript stream;
    const bool polls;  // asks until the answer is there
};

inline const Subject& SubjectAt(std::size_t index) {
    static std::map<std::size_t, std::unique_ptr<Subject>> loaded;
    std::unique_ptr<Subject>& subject = loaded[index % kPlugins.size()];
    if (!subject) subject = std::make_unique<Subject>(kPlugins.at(index % kPlugins.size()));
    return *subject;
}

// True when the plugin did what a host would count against it.
inline bool Misbehaved(const plugin_driver::Result& result) {
    for (const std::string& event : result.events) {
        if (event.rfind("misbehaviour", 0) == 0) return true;
    }
    return false;
}

}  // namespace aim::fuzz
