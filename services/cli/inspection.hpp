#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "core/plugin/examiner.hpp"
#include "core/plugin/plugin_probe.hpp"
#include "core/plugin/refusal.hpp"

namespace aim::cli {

// What is known of one plugin file.
struct Inspection {
    std::filesystem::path file;
    std::uint64_t size = 0;
    std::string sha256;  // empty when the file could not be read
    std::optional<plugin::ManifestNote> note;
    std::string id;  // from the probe, else from the note
    std::string version;
    std::string output;  // what the plugin printed in the probe
    std::optional<plugin::Refusal> refusal;
};

// Runs the gateway's own checks over single files. Private copies go into a temporary folder that
// is removed with this object. One thread.
class Inspector {
  public:
    explicit Inspector(plugin::TrustPolicy trust);
    ~Inspector();
    Inspector(const Inspector&) = delete;
    Inspector& operator=(const Inspector&) = delete;

    // Without running any code of the file.
    Inspection Read(const std::filesystem::path& file);

    // Read, then the probe in a child process.
    Inspection Try(const std::filesystem::path& file);

  private:
    Inspection Inspect(const std::filesystem::path& file, bool with_probe);

    const std::filesystem::path folder_;
    plugin::Examiner examiner_;
    plugin::SpawnedProbe probe_;
};

}  // namespace aim::cli
