#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/plugin/refusal.hpp"

namespace aim::plugin {

// One symbol that the image shows to others.
struct ElfExport {
    std::string name;
    bool unique =
        false;  // STB_GNU_UNIQUE: pins the library and joins it with others of the same name
};

// "this image needs version `version` of library `library`" (SHT_GNU_verneed).
struct ElfNeededVersion {
    std::string library;
    std::string version;
};

// What a shared object says about itself, read from its bytes without running any of it. The layout
// is that of the System V ABI (gABI chapters 4 and 5) with GNU's hash table and symbol versions.
struct ElfImage {
    std::vector<std::string> needed;  // DT_NEEDED
    std::vector<ElfNeededVersion> needed_versions;
    std::vector<ElfExport> exports;  // defined, visible from outside; absolute symbols are left out
    std::vector<std::string> imports;  // what it takes from other libraries, by name
    std::vector<std::string> notes;    // the text of each AIM note (aim/abi/export.h)
    bool static_tls = false;           // DF_STATIC_TLS
    bool text_relocations = false;     // DT_TEXTREL
};

// Parses a shared object for this machine. Every offset, count and string is checked against the
// bytes, so any input is safe. Refuses with not_elf (no shared object, or one that contradicts
// itself), wrong_machine, or truncated (a loadable segment or table ends behind the end of the
// file). Pure; thread-safe.
Checked<ElfImage> ParseElf(std::string_view bytes);

// The symbol versions that a library offers to others (SHT_GNU_verdef), from the same kind of
// reading.
Checked<std::vector<std::string>> ParseDefinedVersions(std::string_view bytes);

}  // namespace aim::plugin
