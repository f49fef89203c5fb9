#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace aim::cli {

struct PluginCheckOptions {
    std::string file;
    bool json = false;
    std::vector<std::string> only;
    std::vector<std::string> skip;
    std::vector<std::string> answers;  // files, see kit/samples.hpp
    std::string row_settings = "{}";
    std::uint64_t seed = 1;
    int fuzz_rounds = 200;
    int limit_seconds = 60;  // of each check of the suite
    bool in_process = false;
};

// `plugin check`: the checks of the bytes; when the gateway would take the file, its probe; when
// that takes it, the conformance suite. kExitRefused when anything failed.
int CheckPlugin(const PluginCheckOptions& options);

// `plugin check --list-checks`.
int ListChecks(bool as_json);

}  // namespace aim::cli
