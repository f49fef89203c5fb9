#include "core/plugin/elf_image.hpp"

#include <cstring>
#include <random>

#include <elf.h>
#include <gtest/gtest.h>

#include "core/plugin/elf_policy.hpp"
#include "tests/bad_plugins/plugin_folder.hpp"

namespace aim::plugin {
namespace {

using testing::Fixture;
using testing::ReadAll;

std::string Good() { return ReadAll(Fixture("good")); }

template <typename T>
T Get(const std::string& bytes, std::size_t offset) {
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof(T));
    return value;
}
template <typename T>
void Put(std::string& bytes, std::size_t offset, const T& value) {
    std::memcpy(bytes.data() + offset, &value, sizeof(T));
}

RefusalReason ReasonFor(std::string_view bytes) {
    const auto image = ParseElf(bytes);
    EXPECT_FALSE(image);
    return image ? RefusalReason::kQuarantined : image.error().reason;
}

TEST(ElfImageTest, ReadsARealPlugin) {
    const auto image = ParseElf(Good());
    ASSERT_TRUE(image) << image.error().message;
    ASSERT_EQ(image->exports.size(), 1u);
    EXPECT_EQ(image->exports[0].name, "aim_plugin_entry");
    EXPECT_FALSE(image->exports[0].unique);
    ASSERT_EQ(image->notes.size(), 1u);
    EXPECT_EQ(image->notes[0], "abi=1.0\nid=good\nversion=1.0.0\n");
    EXPECT_FALSE(image->static_tls);
    EXPECT_FALSE(image->text_relocations);
    EXPECT_NE(std::find(image->needed.begin(), image->needed.end(), "libc.so.6"),
              image->needed.end());
}

TEST(ElfImageTest, EveryCutIsRefused) {
    const std::string whole = Good();
    for (std::size_t size = 0; size < whole.size(); size += size < 4096 ? 1 : 37) {
        const RefusalReason reason = ReasonFor(std::string_view(whole).substr(0, size));
        EXPECT_EQ(reason, RefusalReason::kTruncated) << "cut at " << size;
    }
    EXPECT_EQ(ReasonFor(std::string_view(whole).substr(0, whole.size() - 1)),
              RefusalReason::kTruncated);
}

TEST(ElfImageTest, HeadersOfOtherKindsAreRefused) {
    struct Case {
        std::size_t offset;
        char value;
        RefusalReason reason;
    };
    const Case cases[] = {
        {EI_MAG0, 'M', RefusalReason::kNotElf},
        {EI_CLASS, ELFCLASS32, RefusalReason::kWrongMachine},
        {EI_DATA, ELFDATA2MSB, RefusalReason::kWrongMachine},
        {EI_OSABI, ELFOSABI_FREEBSD, RefusalReason::kWrongMachine},
        {offsetof(Elf64_Ehdr, e_machine), EM_386, RefusalReason::kWrongMachine},
        {offsetof(Elf64_Ehdr, e_type), ET_EXEC, RefusalReason::kNotElf},
        {offsetof(Elf64_Ehdr, e_type), ET_REL, RefusalReason::kNotElf},
        {offsetof(Elf64_Ehdr, e_phnum), 0, RefusalReason::kNotElf},
        {offsetof(Elf64_Ehdr, e_phnum), 127, RefusalReason::kNotElf},
        {offsetof(Elf64_Ehdr, e_phentsize), 1, RefusalReason::kNotElf},
    };
    for (const Case& item : cases) {
        std::string bytes = Good();
        bytes[item.offset] = item.value;
        EXPECT_EQ(ReasonFor(bytes), item.reason) << "offset " << item.offset;
    }
    std::string far_table = Good();
    Put(far_table, offsetof(Elf64_Ehdr, e_phoff), ~std::uint64_t{0} - 8);
    EXPECT_EQ(ReasonFor(far_table), RefusalReason::kTruncated);
}

TEST(ElfImageTest, SegmentsThatWrapAroundAreRefused) {
    std::string bytes = Good();
    const auto header = Get<Elf64_Ehdr>(bytes, 0);
    for (int i = 0; i < header.e_phnum; ++i) {
        const std::size_t at = header.e_phoff + static_cast<std::size_t>(i) * sizeof(Elf64_Phdr);
        auto segment = Get<Elf64_Phdr>(bytes, at);
        if (segment.p_type != PT_LOAD) continue;
        segment.p_offset = ~std::uint64_t{0} - 16;
        segment.p_filesz = 4096;
        segment.p_memsz = 4096;
        Put(bytes, at, segment);
        break;
    }
    EXPECT_EQ(ReasonFor(bytes), RefusalReason::kNotElf);
}

// Any single damaged byte gives an answer; what it is does not matter, that it comes does (run
// under the sanitizers).
TEST(ElfImageTest, DamagedBytesNeverHurt) {
    const std::string whole = Good();
    std::minstd_rand random(7);
    for (int round = 0; round < 3000; ++round) {
        std::string bytes = whole;
        for (int i = 0; i < 4; ++i)
            bytes[random() % std::min<std::size_t>(bytes.size(), 8192)] =
                static_cast<char>(random());
        if (const auto image = ParseElf(bytes)) {
            CheckElfPolicy(*image, HostLibraries({}), false);
        } else {
            EXPECT_FALSE(image.error().message.empty());
        }
    }
}

TEST(ElfImageTest, SystemLibraryDefinesItsVersions) {
    const HostLibraries host = HostLibraries::OfThisProcess();
    EXPECT_TRUE(host.MayHave("libc.so.6", "GLIBC_2.2.5") ||
                host.MayHave("libc.so.6", "GLIBC_2.17"));
    EXPECT_FALSE(host.MayHave("libc.so.6", "GLIBC_2.999"));
    EXPECT_FALSE(host.MayHave("libstdc++.so.6", "GLIBCXX_3.4.999"));
    EXPECT_TRUE(host.MayHave("libunknown.so.1", "ANY_1"));
    EXPECT_EQ(host.Highest("libc.so.6", "GLIBC_2.999").substr(0, 8), "GLIBC_2.");
}

ElfImage PolicyImage() {
    ElfImage image;
    image.needed = {"libc.so.6"};
    image.needed_versions = {{"libc.so.6", "GLIBC_2.2.5"}};
    image.exports = {{"aim_plugin_entry", false}};
    return image;
}

TEST(ElfPolicyTest, SaysWhatIsWrong) {
    const HostLibraries host(
        {{"libc.so.6", {"GLIBC_2.2.5", "GLIBC_2.9", "GLIBC_2.36", "GLIBC_PRIVATE"}}});
    EXPECT_FALSE(CheckElfPolicy(PolicyImage(), host, false));

    ElfImage newer = PolicyImage();
    newer.needed_versions.push_back({"libc.so.6", "GLIBC_2.38"});
    const auto refusal = CheckElfPolicy(newer, host, false);
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->reason, RefusalReason::kNeedsNewerLibc);
    EXPECT_NE(refusal->message.find("GLIBC_2.38"), std::string::npos);
    EXPECT_NE(refusal->message.find("up to GLIBC_2.36"), std::string::npos) << refusal->message;

    ElfImage foreign = PolicyImage();
    foreign.needed.push_back("libssl.so.3");
    EXPECT_EQ(CheckElfPolicy(foreign, host, true)->reason, RefusalReason::kNeedsForbiddenLibrary);

    ElfImage empty = PolicyImage();
    empty.exports.clear();
    EXPECT_EQ(CheckElfPolicy(empty, host, false)->reason, RefusalReason::kMissingEntry);

    ElfImage marked = PolicyImage();
    marked.exports.push_back({"_end", false});
    EXPECT_FALSE(CheckElfPolicy(marked, host, false));
    marked.exports.push_back({"helper", false});
    EXPECT_EQ(CheckElfPolicy(marked, host, false)->reason, RefusalReason::kExtraExports);

    ElfImage relocated = PolicyImage();
    relocated.text_relocations = true;
    EXPECT_EQ(CheckElfPolicy(relocated, host, false)->reason, RefusalReason::kTextRelocations);
}

TEST(ElfPolicyTest, StaticTlsIsAllowedByName) {
    ElfImage image = PolicyImage();
    image.static_tls = true;
    EXPECT_EQ(CheckElfPolicy(image, HostLibraries({}), false)->reason, RefusalReason::kStaticTls);
    EXPECT_FALSE(CheckElfPolicy(image, HostLibraries({}), true));
}

}  // namespace
}  // namespace aim::plugin
