#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/plugin/elf_image.hpp"
#include "core/plugin/refusal.hpp"

namespace aim::plugin {

// What a plugin's ELF note says about it (aim/abi/export.h), known before any of its code runs.
struct ManifestNote {
    std::uint16_t abi_major = 0;
    std::uint16_t abi_minor = 0;
    std::string id;
    std::string version;
};

// The note of an image. A plugin written without the SDK's macro may have none: that is allowed
// (nullopt), the handshake tells the same later. Refuses with abi_major when the note names another
// major, manifest_mismatch when there are several notes that differ or one that cannot be read.
Checked<std::optional<ManifestNote>> ReadManifestNote(const ElfImage& image);

// The text of one note; nullopt when a key is missing or its value is not what the ABI allows.
std::optional<ManifestNote> ParseManifestNote(std::string_view text);

}  // namespace aim::plugin
