#include "core/plugin/manifest_note.hpp"

#include <algorithm>
#include <charconv>

#include "aim/abi/version.h"
#include "core/plugin/descriptor.hpp"

namespace aim::plugin {
namespace {

bool ParseAbi(std::string_view text, ManifestNote& note) {
    const char* const end = text.data() + text.size();
    const auto major = std::from_chars(text.data(), end, note.abi_major);
    if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.') return false;
    const auto minor = std::from_chars(major.ptr + 1, end, note.abi_minor);
    return minor.ec == std::errc() && minor.ptr == end;
}

}  // namespace

std::optional<ManifestNote> ParseManifestNote(std::string_view text) {
    ManifestNote note;
    bool has_abi = false;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        const std::size_t equals = line.find('=');
        if (equals == std::string_view::npos) return std::nullopt;
        const std::string_view key = line.substr(0, equals);
        const std::string_view value = line.substr(equals + 1);
        if (key == "abi") {
            if (!ParseAbi(value, note)) return std::nullopt;
            has_abi = true;
        } else if (key == "id") {
            note.id = value;
        } else if (key == "version") {
            note.version = value;
        }
    }
    if (!has_abi) return std::nullopt;
    // A plugin of another major may follow other rules for the rest.
    if (note.abi_major == AIM_ABI_MAJOR &&
        (!IsProviderId(note.id) || !PluginVersion::Parse(note.version))) {
        return std::nullopt;
    }
    return note;
}

Checked<std::optional<ManifestNote>> ReadManifestNote(const ElfImage& image) {
    if (image.notes.empty()) return std::optional<ManifestNote>();
    for (const std::string& other : image.notes) {
        if (other != image.notes.front()) {
            return Refuse(RefusalReason::kManifestMismatch,
                          "the file has several AIM notes that differ; use AIM_PLUGIN_NOTE once");
        }
    }
    std::optional<ManifestNote> note = ParseManifestNote(image.notes.front());
    if (!note) {
        return Refuse(
            RefusalReason::kManifestMismatch,
            "the AIM note cannot be read (\"" + Printable(image.notes.front()) +
                "\"); expected are lines abi=1.0, id= in lower case letters, digits, '_' and "
                "'-', and version= in three numbers (1.0.0)");
    }
    if (note->abi_major != AIM_ABI_MAJOR) {
        return Refuse(RefusalReason::kAbiMajor,
                      "the plugin was built for ABI " + std::to_string(note->abi_major) + "." +
                          std::to_string(note->abi_minor) + ", this gateway has " +
                          std::to_string(AIM_ABI_MAJOR) + "." + std::to_string(AIM_ABI_MINOR) +
                          ": build it with headers of major " + std::to_string(AIM_ABI_MAJOR));
    }
    return note;
}

}  // namespace aim::plugin
