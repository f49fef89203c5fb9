#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "core/plugin/descriptor.hpp"
#include "core/plugin/elf_policy.hpp"
#include "core/plugin/manifest_note.hpp"
#include "core/plugin/plugin_bytes.hpp"
#include "core/plugin/plugin_stage.hpp"
#include "core/plugin/refusal.hpp"
#include "core/plugin/trust_policy.hpp"

namespace aim::plugin {

// One content of a plugin file that passed every check that runs none of its code. Immutable once
// it is shared.
struct Candidate {
    std::filesystem::path source;  // the operator's file
    std::filesystem::path staged;  // our private copy of its bytes
    security::Sha256Digest hash{};
    std::optional<ManifestNote> note;
    // Filled in from the probe's verdict.
    std::string id;
    PluginVersion version;
};

// The steps from a path to a candidate: read once, hash, ELF image, note, trust, private copy. Used
// by one thread at a time.
class Examiner {
  public:
    Examiner(ReadLimits limits, TrustPolicy trust, PluginStage stage)
        : limits_(limits), trust_(std::move(trust)), stage_(std::move(stage)) {}

    // The file's bytes, after a look at the folder that holds it: one that everybody may write to
    // is unsafe_owner_or_mode, however good the file.
    Checked<PluginBytes> Read(const std::filesystem::path& path) const;

    // Everything that is known without running code. Does not stage.
    Checked<Candidate> Check(const std::filesystem::path& source, const PluginBytes& content);

    // Check, then the private copy.
    Checked<Candidate> Prepare(const std::filesystem::path& source, const PluginBytes& content);

    void Sweep() { stage_.Sweep(std::chrono::hours(7 * 24)); }

  private:
    const HostLibraries& Host();

    const ReadLimits limits_;
    const TrustPolicy trust_;
    PluginStage stage_;
    std::optional<HostLibraries> host_;  // read when the first file needs it
};

}  // namespace aim::plugin
