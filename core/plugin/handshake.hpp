#pragma once

#include <cstdint>
#include <optional>

#include "aim/abi/entry.h"
#include "aim/abi/ext/embeddings.h"
#include "aim/abi/ext/models.h"
#include "aim/abi/provider.h"
#include "core/plugin/descriptor.hpp"
#include "core/plugin/manifest_note.hpp"
#include "core/plugin/refusal.hpp"

namespace aim::plugin {

// A plugin that has introduced itself: its table and a copy of its descriptor. `entry` lives as
// long as the library is mapped.
struct Introduction {
    const aim_entry* entry = nullptr;
    Descriptor descriptor;
};

// The tables that a plugin offers after init; null = it does not have the interface.
struct PluginInterfaces {
    const aim_chat* chat = nullptr;
    const aim_models* models = nullptr;
    const aim_embeddings* embeddings = nullptr;
};

// Every function below calls into the plugin, turns an exception that escapes from it into a
// refusal, and belongs on the loader thread.

// Entry table and descriptor, before init. Refuses with missing_entry, abi_major, abi_minor,
// manifest_missing (no descriptor), bad_descriptor, or manifest_mismatch when the note of the file
// says otherwise.
Checked<Introduction> ReadIntroduction(aim_plugin_entry_fn entry,
                                       const std::optional<ManifestNote>& note);

// Nullopt, or init_failed.
std::optional<Refusal> InitPlugin(const aim_entry& entry, const aim_host& host);

// Never fails: an exception that escapes is swallowed.
void DeinitPlugin(const aim_entry& entry);

// The interfaces, after init. A table that is too small or has an empty slot is refused with
// bad_interface.
Checked<PluginInterfaces> ReadInterfaces(const aim_entry& entry);

}  // namespace aim::plugin
