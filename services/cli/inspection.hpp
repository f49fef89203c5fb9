#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "core/plugin/elf_image.hpp"
#include "core/plugin/examiner.hpp"
#include "core/plugin/plugin_probe.hpp"
#include "core/plugin/refusal.hpp"

namespace aim::cli {

// What is known of one plugin file.
struct Inspection {
    std::filesystem::path file;
    std::uint64_t size = 0;
    std::string sha256;                     // empty when the file could not be read
    std::optional<plugin::ElfImage> image;  // when the bytes are a shared object at all
    std::optional<plugin::ManifestNote> note;
    bool allowed_by_name = false;  // its hash is in PLUGIN_SHA256_ALLOW
    std::filesystem::path staged;  // the private copy, when one was made
    std::string id;                // from the probe, else from the note
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

    // Read, and the private copy of a file that is not refused. It lives as long as this object.
    Inspection Prepare(const std::filesystem::path& file);

    // The gateway's probe of a file that was prepared.
    void Probe(Inspection& found);

    // Prepare, then Probe.
    Inspection Try(const std::filesystem::path& file);

  private:
    Inspection Inspect(const std::filesystem::path& file, bool with_copy);

    const std::filesystem::path folder_;
    const plugin::TrustPolicy trust_;
    plugin::Examiner examiner_;
    plugin::SpawnedProbe probe_;
};

}  // namespace aim::cli
