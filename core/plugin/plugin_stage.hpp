#pragma once

#include <chrono>
#include <filesystem>
#include <string_view>

#include "core/plugin/refusal.hpp"
#include "core/security/sha256.hpp"

namespace aim::plugin {

// The private folder that plugins are loaded from, so that what runs is what was checked: the
// operator may overwrite or remove his file at any time. A copy is named by its content
// (<label>-<sha256>.so), mode 0500, in a folder of mode 0700; several processes may share the
// folder. Used by one thread at a time.
class PluginStage {
  public:
    explicit PluginStage(std::filesystem::path folder) : folder_(std::move(folder)) {}

    // Writes the copy unless it is there already with the same bytes, and returns its absolute
    // path. `label` is the id if it is known; only characters of a provider id are used. Refuses
    // with staging_failed or noexec_staging.
    Checked<std::filesystem::path> Store(std::string_view bytes, const security::Sha256Digest& hash,
                                         std::string_view label);

    // Removes copies that nobody has stored again for longer than `age`. What is mapped stays
    // usable.
    void Sweep(std::chrono::seconds age);

  private:
    Checked<std::filesystem::path> OpenFolder();

    const std::filesystem::path folder_;
};

}  // namespace aim::plugin
