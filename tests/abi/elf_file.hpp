// What the tests need to know of a shared object's file, read without loading it.
#pragma once

#include <string>
#include <vector>

namespace aim::abi_test {

struct ElfSymbol {
    std::string name;
    unsigned char binding = 0;  // STB_…
};

struct ElfNote {
    std::string name;
    std::string text;
    unsigned type = 0;
};

struct ElfFile {
    std::vector<ElfSymbol> exported;  // defined dynamic symbols
    std::vector<std::string> needed;  // libraries
    std::vector<ElfNote> notes;       // of PT_NOTE segments: what a reader of the loaded part sees
    bool static_tls = false;
    bool text_relocations = false;
    bool binds_now = false;
};

// Throws std::runtime_error when it is no 64-bit little-endian ELF file.
ElfFile ReadElf(const std::string& path);

}  // namespace aim::abi_test
