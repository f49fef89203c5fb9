#include "core/plugin/elf_image.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>
#include <optional>

#include <elf.h>

#include "aim/abi/export.h"

namespace aim::plugin {
namespace {

#if defined(__x86_64__)
constexpr std::uint16_t kHostMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr std::uint16_t kHostMachine = EM_AARCH64;
#else
#error "this machine's ELF number is missing here"
#endif

// A real plugin has one export and a handful of libraries; a C library has a few thousand symbols
// and a hundred versions. The limits only keep a hostile file from making us busy.
constexpr std::size_t kMaxSymbols = 1 << 20;
constexpr std::size_t kMaxEntries = 4096;
constexpr std::size_t kMaxSymbolName = 4096;
constexpr std::size_t kMaxSegments = 64;
constexpr std::size_t kMaxNotes = 16;

// Each step returns false when it fails, and leaves the refusal in the parser.
class Parser {
  public:
    explicit Parser(std::string_view bytes) : bytes_(bytes) {}

    bool Parse() {
        return ReadHeader() && ReadSegments() && ReadSectionTable() && ReadDynamic() &&
               ReadNeededLibraries() && ReadNeededVersions() && ReadSymbols() && ReadNotes();
    }
    bool ParseDefinedVersions() {
        return ReadHeader() && ReadSegments() && ReadSectionTable() && ReadDynamic() &&
               ReadDefinedVersions();
    }

    ElfImage image;
    std::vector<std::string> defined_versions;
    Refusal refusal;

  private:
    bool Fail(RefusalReason reason, std::string message) {
        refusal = Refusal{reason, std::move(message)};
        return false;
    }
    bool Malformed(const char* what) {
        return Fail(RefusalReason::kNotElf,
                    std::string("the ELF image is malformed: ") + what + "; build it again");
    }
    bool Truncated(const std::string& what, std::uint64_t end) {
        return Fail(RefusalReason::kTruncated,
                    "the file is cut short: " + what + " ends at byte " + std::to_string(end) +
                        ", the file at byte " + std::to_string(bytes_.size()) +
                        "; copy it again, under a temporary name, and rename it");
    }

    bool Fits(std::uint64_t offset, std::uint64_t size) const {
        return offset <= bytes_.size() && size <= bytes_.size() - offset;
    }
    template <typename T>
    bool Load(std::uint64_t offset, T& value) const {
        if (!Fits(offset, sizeof(T))) return false;
        std::memcpy(&value, bytes_.data() + offset, sizeof(T));
        return true;
    }
    // Where the loader would put `size` bytes from memory address `address`: the place in the file,
    // if a loadable segment has all of them.
    std::optional<std::uint64_t> FileOffset(std::uint64_t address, std::uint64_t size) const {
        for (const Elf64_Phdr& segment : segments_) {
            if (segment.p_type != PT_LOAD || address < segment.p_vaddr) continue;
            const std::uint64_t delta = address - segment.p_vaddr;
            if (delta <= segment.p_filesz && size <= segment.p_filesz - delta)
                return segment.p_offset + delta;
        }
        return std::nullopt;
    }
    template <typename T>
    bool LoadAddress(std::uint64_t address, T& value) const {
        const auto offset = FileOffset(address, sizeof(T));
        return offset && Load(*offset, value);
    }
    bool String(std::uint64_t index, std::string& text) const {
        if (index >= strings_.size()) return false;
        const std::string_view tail = strings_.substr(index, kMaxSymbolName);
        const std::size_t end = tail.find('\0');
        if (end == std::string_view::npos) return false;
        text.assign(tail.substr(0, end));
        return true;
    }

    bool ReadHeader();
    bool ReadSegments();
    bool ReadSectionTable();
    bool ReadDynamic();
    bool ReadNeededLibraries();
    bool ReadNeededVersions();
    bool ReadDefinedVersions();
    bool ReadSymbols();
    bool CountGnuHashSymbols(std::uint64_t address, std::uint64_t& first, std::uint64_t& count);
    bool ReadNotes();
    bool ReadNotesAt(std::uint64_t offset, std::uint64_t size, std::uint64_t alignment);

    std::uint64_t Dynamic(std::int64_t tag) const {
        for (const Elf64_Dyn& entry : dynamic_) {
            if (entry.d_tag == tag) return entry.d_un.d_val;
        }
        return 0;
    }

    const std::string_view bytes_;
    Elf64_Ehdr header_{};
    std::vector<Elf64_Phdr> segments_;
    std::vector<Elf64_Dyn> dynamic_;
    std::string_view strings_;
};

bool Parser::ReadHeader() {
    const std::string_view magic(ELFMAG, SELFMAG);
    const std::string_view start = bytes_.substr(0, SELFMAG);
    if (magic.substr(0, start.size()) != start) {
        return Fail(RefusalReason::kNotElf, "this is no ELF shared object (its first bytes are \"" +
                                                Printable(start) +
                                                "\"); a plugin is a .so built for this machine");
    }
    if (!Load(0, header_)) return Truncated("the ELF header", sizeof(header_));
    if (header_.e_ident[EI_CLASS] != ELFCLASS64 || header_.e_ident[EI_DATA] != ELFDATA2LSB ||
        header_.e_machine != kHostMachine) {
        return Fail(RefusalReason::kWrongMachine,
                    "the file is for ELF machine " + std::to_string(header_.e_machine) + " class " +
                        std::to_string(header_.e_ident[EI_CLASS]) + "; expected machine " +
                        std::to_string(kHostMachine) + " class " + std::to_string(ELFCLASS64) +
                        " little endian: build it for this machine");
    }
    if (header_.e_ident[EI_OSABI] != ELFOSABI_NONE && header_.e_ident[EI_OSABI] != ELFOSABI_GNU) {
        return Fail(RefusalReason::kWrongMachine,
                    "the file is for another operating system (ELF OS ABI " +
                        std::to_string(header_.e_ident[EI_OSABI]) + ")");
    }
    if (header_.e_type != ET_DYN) {
        return Fail(RefusalReason::kNotElf,
                    "the file is an ELF file of type " + std::to_string(header_.e_type) +
                        ", expected a shared object (type 3): link it with -shared");
    }
    return true;
}

bool Parser::ReadSegments() {
    if (header_.e_phentsize != sizeof(Elf64_Phdr) || header_.e_phnum == 0 ||
        header_.e_phnum > kMaxSegments) {
        return Malformed("its program header table");
    }
    const std::uint64_t table_size = std::uint64_t{header_.e_phnum} * sizeof(Elf64_Phdr);
    if (!Fits(header_.e_phoff, table_size))
        return Truncated("the program header table", header_.e_phoff + table_size);
    segments_.resize(header_.e_phnum);
    std::memcpy(segments_.data(), bytes_.data() + header_.e_phoff, table_size);
    for (const Elf64_Phdr& segment : segments_) {
        if (segment.p_type != PT_LOAD && segment.p_type != PT_DYNAMIC && segment.p_type != PT_NOTE)
            continue;
        if (segment.p_offset > std::numeric_limits<std::uint64_t>::max() - segment.p_filesz ||
            segment.p_filesz > segment.p_memsz) {
            return Malformed("a segment has impossible bounds");
        }
        // A cut inside the last page would be loaded without complaint, with zeros in place of
        // data; one before it kills the process inside dlopen.
        if (!Fits(segment.p_offset, segment.p_filesz)) {
            return Truncated("a segment", segment.p_offset + segment.p_filesz);
        }
    }
    return true;
}

// The section table is not needed to load, but it stands at the end of nearly every file: when it
// is cut off, so may be what comes before it after the next write.
bool Parser::ReadSectionTable() {
    if (header_.e_shoff == 0) return true;
    const std::uint64_t table_size = std::uint64_t{header_.e_shnum} * header_.e_shentsize;
    if (!Fits(header_.e_shoff, table_size))
        return Truncated("the section header table", header_.e_shoff + table_size);
    return true;
}

bool Parser::ReadDynamic() {
    for (const Elf64_Phdr& segment : segments_) {
        if (segment.p_type != PT_DYNAMIC) continue;
        const std::size_t count = segment.p_filesz / sizeof(Elf64_Dyn);
        for (std::size_t i = 0; i < std::min(count, kMaxEntries); ++i) {
            Elf64_Dyn entry;
            if (!Load(segment.p_offset + i * sizeof(Elf64_Dyn), entry))
                return Malformed("the dynamic section");
            if (entry.d_tag == DT_NULL) break;
            dynamic_.push_back(entry);
        }
        break;
    }
    if (dynamic_.empty())
        return Malformed("it has no dynamic section, so nothing can be looked up in it");
    if ((Dynamic(DT_FLAGS_1) & DF_1_PIE) != 0) {
        return Fail(RefusalReason::kNotElf,
                    "the file is a program, expected a shared object: link it with -shared");
    }
    const std::uint64_t flags = Dynamic(DT_FLAGS);
    image.static_tls = (flags & DF_STATIC_TLS) != 0;
    image.text_relocations =
        (flags & DF_TEXTREL) != 0 ||
        std::any_of(dynamic_.begin(), dynamic_.end(),
                    [](const Elf64_Dyn& entry) { return entry.d_tag == DT_TEXTREL; });

    const std::uint64_t size = Dynamic(DT_STRSZ);
    const auto offset = FileOffset(Dynamic(DT_STRTAB), size);
    if (!offset || !Fits(*offset, size)) return Malformed("its string table is outside of it");
    strings_ = bytes_.substr(*offset, size);
    return true;
}

bool Parser::ReadNeededLibraries() {
    for (const Elf64_Dyn& entry : dynamic_) {
        if (entry.d_tag != DT_NEEDED) continue;
        std::string name;
        if (!String(entry.d_un.d_val, name)) return Malformed("the name of a needed library");
        image.needed.push_back(std::move(name));
    }
    return true;
}

bool Parser::ReadNeededVersions() {
    std::uint64_t address = Dynamic(DT_VERNEED);
    const std::uint64_t count = std::min<std::uint64_t>(Dynamic(DT_VERNEEDNUM), kMaxEntries);
    for (std::uint64_t i = 0; address != 0 && i < count; ++i) {
        Elf64_Verneed need;
        std::string library;
        if (!LoadAddress(address, need) || !String(need.vn_file, library))
            return Malformed("its needed versions");
        std::uint64_t item_address = address + need.vn_aux;
        for (std::uint16_t j = 0; j < need.vn_cnt; ++j) {
            Elf64_Vernaux item;
            std::string version;
            if (!LoadAddress(item_address, item) || !String(item.vna_name, version) ||
                image.needed_versions.size() == kMaxEntries) {
                return Malformed("its needed versions");
            }
            image.needed_versions.push_back({library, std::move(version)});
            if (item.vna_next == 0) break;
            item_address += item.vna_next;
        }
        if (need.vn_next == 0) break;
        address += need.vn_next;
    }
    return true;
}

bool Parser::ReadDefinedVersions() {
    std::uint64_t address = Dynamic(DT_VERDEF);
    const std::uint64_t count = std::min<std::uint64_t>(Dynamic(DT_VERDEFNUM), kMaxEntries);
    for (std::uint64_t i = 0; address != 0 && i < count; ++i) {
        Elf64_Verdef definition;
        Elf64_Verdaux name_entry;
        std::string name;
        if (!LoadAddress(address, definition) ||
            !LoadAddress(address + definition.vd_aux, name_entry) ||
            !String(name_entry.vda_name, name)) {
            return Malformed("its defined versions");
        }
        defined_versions.push_back(std::move(name));
        if (definition.vd_next == 0) break;
        address += definition.vd_next;
    }
    return true;
}

// GNU's hash table has no count: the last chain's end is the last symbol.
bool Parser::CountGnuHashSymbols(std::uint64_t address, std::uint64_t& first,
                                 std::uint64_t& count) {
    std::uint32_t words[4];  // buckets, first symbol, bloom words, bloom shift
    if (!LoadAddress(address, words)) return Malformed("its symbol hash table");
    const std::uint64_t buckets = address + sizeof(words) + std::uint64_t{words[2]} * 8;
    const std::uint64_t chains = buckets + std::uint64_t{words[0]} * 4;
    first = words[1];
    count = 0;
    std::uint64_t last = 0;
    if (words[0] > kMaxSymbols) return Malformed("its symbol hash table is too large");
    for (std::uint32_t i = 0; i < words[0]; ++i) {
        std::uint32_t bucket = 0;
        if (!LoadAddress(buckets + std::uint64_t{i} * 4, bucket))
            return Malformed("its symbol hash table");
        last = std::max<std::uint64_t>(last, bucket);
    }
    if (last == 0) return true;
    if (last < first) return Malformed("its symbol hash table");
    for (std::uint32_t hash = 0; (hash & 1) == 0; ++last) {
        if (!LoadAddress(chains + (last - first) * 4, hash) || last > kMaxSymbols) {
            return Malformed("its symbol hash table");
        }
    }
    count = last;
    return true;
}

bool Parser::ReadSymbols() {
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    if (const std::uint64_t gnu_hash = Dynamic(DT_GNU_HASH)) {
        if (!CountGnuHashSymbols(gnu_hash, first, count)) return false;
    } else if (const std::uint64_t hash = Dynamic(DT_HASH)) {
        std::uint32_t words[2];  // buckets, symbols
        if (!LoadAddress(hash, words)) return Malformed("its symbol hash table");
        count = words[1];
    }
    if (count > kMaxSymbols) return Malformed("it has too many symbols");
    const std::uint64_t table = Dynamic(DT_SYMTAB);
    // Symbol 0 is none; those before the first hashed one are what the file takes from others.
    for (std::uint64_t i = 1; i < count; ++i) {
        Elf64_Sym symbol;
        if (!LoadAddress(table + i * sizeof(symbol), symbol))
            return Malformed("its symbol table is outside of it");
        if (symbol.st_shndx == SHN_UNDEF && symbol.st_name != 0) {
            std::string name;
            if (!String(symbol.st_name, name)) return Malformed("the name of a symbol");
            image.imports.push_back(std::move(name));
            continue;
        }
        if (i < first) continue;
        const unsigned binding = ELF64_ST_BIND(symbol.st_info);
        const unsigned type = ELF64_ST_TYPE(symbol.st_info);
        const unsigned visibility = ELF64_ST_VISIBILITY(symbol.st_other);
        // Absolute symbols are names of versions, section symbols are the linker's own: neither can
        // be called.
        if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx == SHN_ABS || type == STT_SECTION ||
            type == STT_FILE || binding == STB_LOCAL || visibility == STV_HIDDEN ||
            visibility == STV_INTERNAL) {
            continue;
        }
        std::string name;
        if (!String(symbol.st_name, name)) return Malformed("the name of a symbol");
        image.exports.push_back({std::move(name), binding == STB_GNU_UNIQUE});
    }
    return true;
}

bool Parser::ReadNotes() {
    for (const Elf64_Phdr& segment : segments_) {
        if (segment.p_type != PT_NOTE) continue;
        if (!ReadNotesAt(segment.p_offset, segment.p_filesz, segment.p_align == 8 ? 8 : 4))
            return false;
    }
    return true;
}

bool Parser::ReadNotesAt(std::uint64_t offset, std::uint64_t size, std::uint64_t alignment) {
    const std::uint64_t end = offset + size;  // inside the file: ReadSegments has checked it
    const auto aligned = [alignment](std::uint64_t n) {
        return (n + alignment - 1) / alignment * alignment;
    };
    while (end - offset >= sizeof(Elf64_Nhdr)) {
        Elf64_Nhdr note;
        if (!Load(offset, note)) return Malformed("a note");
        offset += sizeof(note);
        const std::uint64_t name_end = offset + aligned(note.n_namesz);
        const std::uint64_t text_end = name_end + note.n_descsz;
        if (text_end > end) return Malformed("a note is longer than its segment");
        constexpr std::string_view kOwner(AIM_NOTE_NAME, sizeof(AIM_NOTE_NAME));
        if (note.n_type == AIM_NOTE_TYPE && bytes_.substr(offset, note.n_namesz) == kOwner) {
            if (image.notes.size() == kMaxNotes) return Malformed("it has too many notes");
            const std::string_view text = bytes_.substr(name_end, note.n_descsz);
            image.notes.emplace_back(text.substr(0, text.find('\0')));
        }
        offset = std::min(end, name_end + aligned(note.n_descsz));
    }
    return true;
}

}  // namespace

Checked<ElfImage> ParseElf(std::string_view bytes) {
    Parser parser(bytes);
    if (!parser.Parse()) return tl::unexpected(std::move(parser.refusal));
    return std::move(parser.image);
}

Checked<std::vector<std::string>> ParseDefinedVersions(std::string_view bytes) {
    Parser parser(bytes);
    if (!parser.ParseDefinedVersions()) return tl::unexpected(std::move(parser.refusal));
    return std::move(parser.defined_versions);
}

}  // namespace aim::plugin
