// All providers with recorded sessions: tests/plugins/<plugin>/transcripts/*.txt, where <plugin> is
// the name of the plugin's file too.
#pragma once

#include <string>
#include <vector>

#include "tests/support/plugin_driver/plugin_driver.hpp"
#include "tests/support/plugin_driver/transcript.hpp"

namespace aim::plugin_driver {

struct ProviderTranscripts {
    std::string provider;
    std::vector<Transcript> transcripts;
    // The kinds of coverage_test.cpp that the provider cannot have, from the file `without`.
    std::vector<std::string> without;
};

const std::vector<ProviderTranscripts>& AllProviders();

// Loaded once; throws when the file is not there.
const Plugin& LoadedPlugin(const std::string& provider);

}  // namespace aim::plugin_driver
