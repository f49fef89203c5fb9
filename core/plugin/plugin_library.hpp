#pragma once

#include <filesystem>
#include <memory>

#include "aim/abi/entry.h"
#include "core/plugin/refusal.hpp"

namespace aim::plugin {

// One shared object mapped into this process: bound at once, its symbols visible to nobody else,
// and never unmapped (plugin-abi.md, traps 5 to 8): destroying this object gives up the handle, not
// the code.
class PluginLibrary {
  public:
    // Maps the file at an absolute path that nobody else may write to. Runs the file's
    // initialisers. Refuses with load_failed, needs_newer_libc, noexec_staging or missing_entry.
    // Loader thread only.
    static Checked<PluginLibrary> Load(const std::filesystem::path& path);

    PluginLibrary(PluginLibrary&&) noexcept;
    PluginLibrary& operator=(PluginLibrary&&) noexcept;
    ~PluginLibrary();

    aim_plugin_entry_fn entry() const { return entry_; }

  private:
    struct Handle;
    PluginLibrary(std::unique_ptr<Handle> handle, aim_plugin_entry_fn entry);

    std::unique_ptr<Handle> handle_;
    aim_plugin_entry_fn entry_;
};

}  // namespace aim::plugin
