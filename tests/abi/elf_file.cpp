#include "tests/abi/elf_file.hpp"

#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <elf.h>

namespace aim::abi_test {
namespace {

class Image final {
  public:
    explicit Image(const std::string& path) {
        std::ifstream in(path, std::ios::binary);
        bytes_.assign(std::istreambuf_iterator<char>(in), {});
    }
    template <typename Type>
    Type At(std::size_t offset) const {
        Type value;
        if (offset > bytes_.size() || bytes_.size() - offset < sizeof(Type)) {
            throw std::runtime_error("a part of the file is outside of the file");
        }
        std::memcpy(&value, bytes_.data() + offset, sizeof(Type));
        return value;
    }
    std::string Text(std::size_t offset, std::size_t size) const {
        if (offset > bytes_.size() || bytes_.size() - offset < size) {
            throw std::runtime_error("a text is outside of the file");
        }
        return bytes_.substr(offset, size);
    }
    std::string CString(std::size_t offset) const {
        return Text(offset, bytes_.find('\0', offset) - offset);
    }

  private:
    std::string bytes_;
};

void ReadNotes(const Image& image, const Elf64_Phdr& segment, ElfFile& file) {
    const auto aligned = [](std::size_t size) { return (size + 3) / 4 * 4; };
    std::size_t at = segment.p_offset;
    const std::size_t end = segment.p_offset + segment.p_filesz;
    while (at + sizeof(Elf64_Nhdr) <= end) {
        const auto header = image.At<Elf64_Nhdr>(at);
        at += sizeof(header);
        ElfNote note;
        note.type = header.n_type;
        note.name = image.Text(at, header.n_namesz > 0 ? header.n_namesz - 1 : 0);
        at += aligned(header.n_namesz);
        note.text = image.Text(at, header.n_descsz);
        at += aligned(header.n_descsz);
        file.notes.push_back(note);
    }
}

void ReadDynamic(const Image& image, const Elf64_Shdr& section, const Elf64_Shdr& strings,
                 ElfFile& file) {
    for (std::size_t i = 0; i < section.sh_size / sizeof(Elf64_Dyn); ++i) {
        const auto entry = image.At<Elf64_Dyn>(section.sh_offset + i * sizeof(Elf64_Dyn));
        if (entry.d_tag == DT_NEEDED) {
            file.needed.push_back(image.CString(strings.sh_offset + entry.d_un.d_val));
        } else if (entry.d_tag == DT_TEXTREL) {
            file.text_relocations = true;
        } else if (entry.d_tag == DT_FLAGS) {
            file.static_tls = (entry.d_un.d_val & DF_STATIC_TLS) != 0;
            file.binds_now = file.binds_now || (entry.d_un.d_val & DF_BIND_NOW) != 0;
        } else if (entry.d_tag == DT_FLAGS_1) {
            file.binds_now = file.binds_now || (entry.d_un.d_val & DF_1_NOW) != 0;
        }
    }
}

void ReadSymbols(const Image& image, const Elf64_Shdr& section, const Elf64_Shdr& strings,
                 ElfFile& file) {
    for (std::size_t i = 0; i < section.sh_size / sizeof(Elf64_Sym); ++i) {
        const auto symbol = image.At<Elf64_Sym>(section.sh_offset + i * sizeof(Elf64_Sym));
        const unsigned char binding = ELF64_ST_BIND(symbol.st_info);
        if (symbol.st_shndx != SHN_UNDEF && binding != STB_LOCAL) {
            file.exported.push_back({image.CString(strings.sh_offset + symbol.st_name), binding});
        }
    }
}

}  // namespace

ElfFile ReadElf(const std::string& path) {
    const Image image(path);
    const auto header = image.At<Elf64_Ehdr>(0);
    if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB) {
        throw std::runtime_error(path + " is no 64-bit little-endian ELF file");
    }
    ElfFile file;
    for (std::size_t i = 0; i < header.e_phnum; ++i) {
        const auto segment = image.At<Elf64_Phdr>(header.e_phoff + i * header.e_phentsize);
        if (segment.p_type == PT_NOTE) {
            ReadNotes(image, segment, file);
        }
    }
    const auto section_at = [&](std::size_t i) {
        return image.At<Elf64_Shdr>(header.e_shoff + i * header.e_shentsize);
    };
    for (std::size_t i = 0; i < header.e_shnum; ++i) {
        const Elf64_Shdr section = section_at(i);
        if (section.sh_type == SHT_DYNAMIC) {
            ReadDynamic(image, section, section_at(section.sh_link), file);
        } else if (section.sh_type == SHT_DYNSYM) {
            ReadSymbols(image, section, section_at(section.sh_link), file);
        }
    }
    return file;
}

}  // namespace aim::abi_test
