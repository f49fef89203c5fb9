// Every kind of bad file is refused with its own reason, by the whole loader with the real probe,
// and the good plugin beside them serves.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>

#include <elf.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/plugin/registry.hpp"
#include "tests/bad_plugins/plugin_folder.hpp"

namespace aim::plugin::testing {
namespace {

struct Case {
    const char* fixture;
    const char* reason;
};

// Built by the compiler: tests/bad_plugins/<fixture>.c.
constexpr Case kBuilt[] = {
    {"abi_major_two", "abi_major"},
    {"note_of_major_two", "abi_major"},
    {"note_differs", "manifest_mismatch"},
    {"minor_required", "abi_minor"},
    {"entry_null", "missing_entry"},
    {"entry_small", "missing_entry"},
    {"missing_entry", "missing_entry"},
    {"extra_export", "extra_exports"},
    {"unique_symbol", "unique_symbols"},
    {"descriptor_missing", "manifest_missing"},
    {"bad_id", "bad_descriptor"},
    {"bad_version", "bad_descriptor"},
    {"too_many_settings", "bad_descriptor"},
    {"steals_setting", "bad_descriptor"},
    {"empty_slot", "bad_interface"},
    {"init_fails", "init_failed"},
    {"crash_in_entry", "probe_crashed"},
    {"crash_in_init", "probe_crashed"},
    {"crash_in_constructor", "probe_crashed"},
    {"loop_in_init", "probe_timeout"},
    {"loop_in_begin", "probe_timeout"},
    {"exit_in_init", "forbidden_import"},
    {"exit_by_syscall", "probe_failed"},
    {"create_silent", "probe_failed"},
    {"begin_garbage", "probe_failed"},
    {"prefix_ids", "probe_failed"},
    {"no_url", "probe_failed"},
    {"needs_library", "needs_forbidden_library"},
    {"static_tls", "static_tls"},
    {"undefined_symbol", "load_failed"},
};

class BadPluginsTest : public ::testing::Test {
  protected:
    BadPluginsTest() {
        fs::create_directory(plugins_);
        Install(ReadAll(Fixture("good")), plugins_ / "good.so");
    }

    std::unique_ptr<Registry> Start() {
        RegistryOptions options;
        options.folders = {plugins_};
        options.state_dir = folder_ / "state";
        options.host_version = "test";
        options.max_file_bytes = 8 << 20;
        options.start_wait = std::chrono::seconds(100);
        auto registry = std::make_unique<Registry>(
            std::move(options),
            std::make_unique<ServedProbe>(ServedProbe::DefaultProgram(),
                                          std::chrono::milliseconds(5000)),
            log_, observer_);
        registry->Start();
        return registry;
    }

    // Starts the loader on `name` with these bytes beside the good plugin: the reason of its
    // refusal.
    std::string RefusalOfBytes(std::string_view bytes) {
        WriteAll(plugins_ / "bad.so", bytes);
        const auto registry = Start();
        EXPECT_NE(registry->Snapshot()->Find("good"), nullptr);
        return ReasonOf(*registry, plugins_ / "bad.so");
    }

    TempFolder folder_;
    const fs::path plugins_ = folder_ / "plugins";
    RecordingLogger log_;
    RegistryObserver observer_;
};

TEST_F(BadPluginsTest, EachIsRefusedWithItsReasonAndTheGoodOneServes) {
    for (const Case& bad : kBuilt) {
        fs::copy_file(Fixture(bad.fixture), plugins_ / (std::string(bad.fixture) + ".so"));
    }
    const auto registry = Start();
    for (const Case& bad : kBuilt) {
        const auto refusal = RefusalOf(*registry, plugins_ / (std::string(bad.fixture) + ".so"));
        ASSERT_TRUE(refusal) << bad.fixture << " is not refused";
        EXPECT_EQ(RefusalName(refusal->reason), bad.reason)
            << bad.fixture << ": " << refusal->message;
        EXPECT_GT(refusal->message.size(), 20u) << bad.fixture;
    }
    ASSERT_EQ(registry->Loaded().size(), 1u);
    EXPECT_EQ(registry->Loaded()[0].id, "good");
    registry->Stop();

    // The second start knows them: nothing is probed, so the one that hangs costs nothing.
    const auto before = std::chrono::steady_clock::now();
    const auto again = Start();
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(4));
    EXPECT_EQ(again->Refusals().size(), std::size(kBuilt));
    EXPECT_EQ(again->Loaded().size(), 1u);
}

TEST_F(BadPluginsTest, TextIsNoPlugin) {
    EXPECT_EQ(RefusalOfBytes("#!/bin/sh\necho hello\n"), "not_elf");
}

TEST_F(BadPluginsTest, EmptyFileIsTruncated) { EXPECT_EQ(RefusalOfBytes(""), "truncated"); }

TEST_F(BadPluginsTest, CutFilesAreTruncated) {
    const std::string whole = ReadAll(Fixture("good_other"));
    for (int percent = 5; percent <= 85; percent += 10) {
        EXPECT_EQ(RefusalOfBytes(std::string_view(whole).substr(
                      0, whole.size() * static_cast<std::size_t>(percent) / 100)),
                  "truncated")
            << percent << " %";
    }
    // The cut that the dynamic loader would not notice: inside the last page of the last loadable
    // segment.
    Elf64_Ehdr header;
    std::memcpy(&header, whole.data(), sizeof(header));
    std::uint64_t end = 0;
    for (int i = 0; i < header.e_phnum; ++i) {
        Elf64_Phdr segment;
        std::memcpy(&segment,
                    whole.data() + header.e_phoff + static_cast<std::size_t>(i) * sizeof(segment),
                    sizeof(segment));
        if (segment.p_type == PT_LOAD) end = std::max(end, segment.p_offset + segment.p_filesz);
    }
    EXPECT_EQ(RefusalOfBytes(std::string_view(whole).substr(0, end - 8)), "truncated");
    // The same file without a section table, so that only the segments can tell.
    std::string without_sections = whole.substr(0, end - 8);
    header.e_shoff = 0;
    std::memcpy(without_sections.data(), &header, sizeof(header));
    EXPECT_EQ(RefusalOfBytes(without_sections), "truncated");
}

TEST_F(BadPluginsTest, OtherMachineIsRefused) {
    std::string bytes = ReadAll(Fixture("good_other"));
    bytes[offsetof(Elf64_Ehdr, e_machine)] = static_cast<char>(EM_S390);
    EXPECT_EQ(RefusalOfBytes(bytes), "wrong_machine");
}

TEST_F(BadPluginsTest, ProgramIsNoPlugin) {
    EXPECT_EQ(RefusalOfBytes(ReadAll("/bin/true")), "not_elf");
}

TEST_F(BadPluginsTest, HugeFileIsRefusedUnread) {
    WriteAll(plugins_ / "huge.so", "x");
    fs::resize_file(plugins_ / "huge.so", 1ull << 40);
    const auto registry = Start();
    EXPECT_EQ(ReasonOf(*registry, plugins_ / "huge.so"), "too_large");
}

TEST_F(BadPluginsTest, GroupWritableFileIsRefusedUntilItsModeIsRepaired) {
    WriteAll(plugins_ / "other.so", ReadAll(Fixture("good_other")), 0664);
    const auto registry = Start();
    EXPECT_EQ(ReasonOf(*registry, plugins_ / "other.so"), "unsafe_owner_or_mode");
    ASSERT_EQ(::chmod((plugins_ / "other.so").c_str(), 0644), 0);
    EXPECT_TRUE(Eventually([&] { return registry->Snapshot()->Find("other") != nullptr; }));
    EXPECT_EQ(ReasonOf(*registry, plugins_ / "other.so"), "");
}

TEST_F(BadPluginsTest, ForeignOwnerIsRefused) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
    WriteAll(plugins_ / "other.so", ReadAll(Fixture("good_other")));
    ASSERT_EQ(::chown((plugins_ / "other.so").c_str(), 65534, 65534), 0);
    EXPECT_EQ(ReasonOf(*Start(), plugins_ / "other.so"), "unsafe_owner_or_mode");
}

TEST_F(BadPluginsTest, FolderThatEverybodyMayWriteToIsRefused) {
    ASSERT_EQ(::chmod(plugins_.c_str(), 0777), 0);
    EXPECT_EQ(ReasonOf(*Start(), plugins_ / "good.so"), "unsafe_owner_or_mode");
}

TEST_F(BadPluginsTest, LinksAndPipesAreNoRegularFiles) {
    fs::create_symlink(Fixture("good_other"), plugins_ / "link.so");
    ASSERT_EQ(::mkfifo((plugins_ / "pipe.so").c_str(), 0644), 0);
    const auto registry = Start();
    EXPECT_EQ(ReasonOf(*registry, plugins_ / "link.so"), "not_regular_file");
    EXPECT_EQ(ReasonOf(*registry, plugins_ / "pipe.so"), "not_regular_file");
    EXPECT_EQ(registry->Snapshot()->generations().size(), 1u);
}

TEST_F(BadPluginsTest, UnreadableFolderEntriesAndIgnoredNamesDoNoHarm) {
    fs::create_directory(plugins_ / "folder.so");
    WriteAll(plugins_ / ".hidden.so", "x");
    WriteAll(plugins_ / "half.so.part", "x");
    WriteAll(plugins_ / "half.so.tmp", "x");
    WriteAll(plugins_ / "README.md", "x");
    const auto registry = Start();
    EXPECT_TRUE(registry->Refusals().empty());
    EXPECT_EQ(registry->Loaded().size(), 1u);
}

TEST_F(BadPluginsTest, LowerVersionOfTheSameIdIsADuplicate) {
    fs::copy_file(Fixture("good_newer"), plugins_ / "newer.so");
    const auto registry = Start();
    EXPECT_EQ(ReasonOf(*registry, plugins_ / "good.so"), "duplicate_id");
    ASSERT_EQ(registry->Loaded().size(), 1u);
    EXPECT_EQ(registry->Loaded()[0].version, "1.10.0");
}

TEST_F(BadPluginsTest, PluginWithoutANoteIsAccepted) {
    fs::copy_file(Fixture("good_without_note"), plugins_ / "noteless.so");
    EXPECT_NE(Start()->Snapshot()->Find("NOTELESS"), nullptr);
}

TEST_F(BadPluginsTest, MissingProbeProgramRefusesWithoutRememberingIt) {
    RegistryOptions options;
    options.folders = {plugins_};
    options.state_dir = folder_ / "state";
    Registry registry(
        std::move(options),
        std::make_unique<SpawnedProbe>(folder_ / "nothing-here", std::chrono::milliseconds(5000)),
        log_, observer_);
    registry.Start();
    EXPECT_EQ(ReasonOf(registry, plugins_ / "good.so"), "probe_failed");
    registry.Stop();
    EXPECT_EQ(Start()->Loaded().size(), 1u);
}

}  // namespace
}  // namespace aim::plugin::testing
