// The registry over real files and real loading; the probe reads the note instead of starting a
// process.
#include "core/plugin/registry.hpp"

#include <atomic>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/bad_plugins/plugin_folder.hpp"

namespace aim::plugin {
namespace {

namespace fs = std::filesystem;

using testing::Eventually;
using testing::Fixture;
using testing::Install;
using testing::ReadAll;
using testing::ReasonOf;
using testing::WithMark;
using testing::WriteAll;

class RegistryTest : public ::testing::Test {
  protected:
    RegistryTest() { fs::create_directory(plugins_); }

    std::unique_ptr<Registry> Start(std::vector<fs::path> folders = {}) {
        RegistryOptions options;
        options.folders = folders.empty() ? std::vector<fs::path>{plugins_} : std::move(folders);
        options.state_dir = folder_ / "state";
        options.host_version = "test";
        options.watch.debounce = std::chrono::milliseconds(10);
        options.watch.fast_rescan = std::chrono::milliseconds(50);
        options.settle = std::chrono::milliseconds(100);
        options.removal_grace = grace_;
        auto registry = std::make_unique<Registry>(
            std::move(options), std::make_unique<testing::NoteProbe>(probes_), log_, observer_);
        registry->Start();
        return registry;
    }

    static std::string VersionOf(const Registry& registry, const char* provider) {
        const PluginSetPtr set = registry.Snapshot();
        const GenerationPtr* const found = set->Find(provider);
        return found == nullptr ? "" : (*found)->descriptor().version;
    }
    static std::uint64_t NumberOf(const Registry& registry, const char* provider = "good") {
        const PluginSetPtr set = registry.Snapshot();
        const GenerationPtr* const found = set->Find(provider);
        return found == nullptr ? 0 : (*found)->number();
    }

    testing::TempFolder folder_;
    const fs::path plugins_ = folder_ / "plugins";
    const std::string good_ = ReadAll(Fixture("good"));
    const std::string newer_ = ReadAll(Fixture("good_newer"));
    const std::string other_ = ReadAll(Fixture("good_other"));
    std::chrono::milliseconds grace_{200};
    std::shared_ptr<std::atomic<int>> probes_ = std::make_shared<std::atomic<int>>(0);
    testing::RecordingLogger log_;
    RegistryObserver observer_;
};

TEST_F(RegistryTest, FirstSnapshotIsCompleteWhenStartReturns) {
    Install(good_, plugins_ / "a.so");
    Install(other_, plugins_ / "b.so");
    const auto registry = Start();
    const auto loaded = registry->Loaded();
    ASSERT_EQ(loaded.size(), 2u);
    EXPECT_EQ(loaded[0].id, "good");
    EXPECT_EQ(loaded[0].display_name, "Good");
    EXPECT_EQ(loaded[0].version, "1.0.0");
    EXPECT_EQ(loaded[0].file, plugins_ / "a.so");
    EXPECT_EQ(loaded[0].sha256, security::ToHex(security::Sha256(good_)));
    EXPECT_EQ(loaded[0].abi, "1.0");
    EXPECT_EQ(loaded[0].capabilities, std::vector<std::string>{"stream"});
    ASSERT_EQ(loaded[0].settings.size(), 1u);
    EXPECT_EQ(loaded[0].settings[0].name, "GOOD_API_KEY");
    EXPECT_EQ(loaded[0].state, GenerationState::kServing);
    EXPECT_TRUE(registry->Refusals().empty());
    const PluginSetPtr set = registry->Snapshot();
    EXPECT_EQ(set->Find("GOOD"), set->Find("good.example"));
    EXPECT_EQ(set->Find("goo"), nullptr);
    EXPECT_NE((*set->Find("good"))->chat(), nullptr);
    EXPECT_EQ((*set->Find("good"))->models(), nullptr);
    EXPECT_EQ((*set->Find("good"))->Interface("aim.nothing/1"), nullptr);
}

TEST_F(RegistryTest, DroppedFileServesAndRemovedFileLeavesAfterTheGraceTime) {
    const auto registry = Start();
    EXPECT_EQ(registry->Snapshot()->generations().size(), 0u);
    Install(good_, plugins_ / "good.so");
    ASSERT_TRUE(Eventually([&] { return NumberOf(*registry) == 1; }));
    fs::remove(plugins_ / "good.so");
    ASSERT_TRUE(Eventually([&] { return NumberOf(*registry) == 0; }));
    EXPECT_TRUE(Eventually([&] { return log_.Count("plugin_message", "deinit good") == 1; }));
    // The same bytes come back: the library is mapped already and is only initialised again, and
    // nothing is probed.
    Install(good_, plugins_ / "good.so");
    ASSERT_TRUE(Eventually([&] { return NumberOf(*registry) == 2; }));
    EXPECT_EQ(registry->kept_libraries(), 1u);
    EXPECT_EQ(log_.Count("plugin_message", "init good"), 3);  // "deinit good" has it in it, too
    EXPECT_EQ(probes_->load(), 1);
}

TEST_F(RegistryTest, FileThatIsReplacedWithinTheGraceTimeNeverLeaves) {
    grace_ = std::chrono::seconds(60);
    Install(good_, plugins_ / "good.so");
    const auto registry = Start();
    fs::remove(plugins_ / "good.so");
    registry->Rescan();
    EXPECT_EQ(VersionOf(*registry, "good"), "1.0.0");
    Install(newer_, plugins_ / "good.so");
    registry->Rescan();
    EXPECT_EQ(VersionOf(*registry, "good"), "1.10.0");
}

TEST_F(RegistryTest, SessionsKeepTheirGenerationAndDeinitFollowsTheLast) {
    Install(good_, plugins_ / "good.so");
    const auto registry = Start();
    GenerationPtr session = *registry->Snapshot()->Find("good");
    Install(newer_, plugins_ / "good.so");
    ASSERT_TRUE(Eventually([&] { return VersionOf(*registry, "good") == "1.10.0"; }));
    EXPECT_EQ(session->descriptor().version, "1.0.0");
    EXPECT_NE(session->chat()->begin, nullptr);
    registry->Rescan();
    EXPECT_EQ(log_.Count("plugin_message", "deinit good 1.0.0"), 0);
    session.reset();
    EXPECT_TRUE(Eventually([&] { return log_.Count("plugin_message", "deinit good 1.0.0") == 1; }));
    EXPECT_EQ(log_.Count("plugin_message", "deinit good 1.10.0"), 0);
}

TEST_F(RegistryTest, GenerationThatIsStillUsedIsTakenUpAgainWithoutASecondInit) {
    Install(good_, plugins_ / "good.so");
    const auto registry = Start();
    const GenerationPtr session = *registry->Snapshot()->Find("good");
    Install(newer_, plugins_ / "good.so");
    registry->Rescan();
    Install(good_, plugins_ / "good.so");
    registry->Rescan();
    EXPECT_EQ(*registry->Snapshot()->Find("good"), session);
    EXPECT_EQ(log_.Count("plugin_message", "init good 1.0.0"), 1);
}

TEST_F(RegistryTest, CopyOverTheFileInPlaceIsSafe) {
    Install(good_, plugins_ / "good.so");
    const auto registry = Start();
    const GenerationPtr session = *registry->Snapshot()->Find("good");
    // As `cp` does it: the same inode is cut and written again.
    WriteAll(plugins_ / "good.so", newer_);
    ASSERT_TRUE(Eventually([&] { return VersionOf(*registry, "good") == "1.10.0"; }));
    EXPECT_NE(session->Interface(AIM_CHAT_ID), nullptr);  // the old code is intact
}

TEST_F(RegistryTest, SlowCopyIsNotJudgedForGood) {
    const auto registry = Start();
    {
        std::ofstream file(plugins_ / "good.so", std::ios::binary);
        const std::string_view bytes = good_;
        const std::size_t half = bytes.size() / 2;
        file.write(bytes.data(), static_cast<std::streamsize>(half));
        file.flush();
        ASSERT_EQ(::chmod((plugins_ / "good.so").c_str(), 0644), 0);
        // Longer than the file may stand still: it is refused, and looked at again when it grows.
        ASSERT_TRUE(
            Eventually([&] { return ReasonOf(*registry, plugins_ / "good.so") == "truncated"; }));
        file.write(bytes.data() + half, static_cast<std::streamsize>(bytes.size() - half));
    }
    ASSERT_TRUE(Eventually([&] { return VersionOf(*registry, "good") == "1.0.0"; }));
    EXPECT_TRUE(registry->Refusals().empty());
}

TEST_F(RegistryTest, BadReplacementChangesNothing) {
    Install(good_, plugins_ / "good.so");
    const auto registry = Start();
    Install("not a plugin", plugins_ / "good.so");
    ASSERT_TRUE(Eventually([&] { return ReasonOf(*registry, plugins_ / "good.so") == "not_elf"; }));
    EXPECT_EQ(NumberOf(*registry), 1u);
    // One that passes the probe and then refuses to start in this process.
    Install(ReadAll(Fixture("note_differs")), plugins_ / "good.so");
    ASSERT_TRUE(Eventually(
        [&] { return ReasonOf(*registry, plugins_ / "good.so") == "manifest_mismatch"; }));
    EXPECT_EQ(NumberOf(*registry), 1u);
    Install(newer_, plugins_ / "good.so");
    ASSERT_TRUE(Eventually([&] { return VersionOf(*registry, "good") == "1.10.0"; }));
    EXPECT_TRUE(registry->Refusals().empty());
}

TEST_F(RegistryTest, HigherVersionWinsAndTheOtherTakesOverWhenItGoes) {
    Install(good_, plugins_ / "a.so");
    const auto registry = Start();
    Install(newer_, plugins_ / "b.so");
    ASSERT_TRUE(Eventually([&] { return VersionOf(*registry, "good") == "1.10.0"; }));
    EXPECT_EQ(ReasonOf(*registry, plugins_ / "a.so"), "duplicate_id");
    EXPECT_EQ(registry->Loaded().size(), 1u);
    fs::remove(plugins_ / "b.so");
    ASSERT_TRUE(Eventually([&] { return VersionOf(*registry, "good") == "1.0.0"; }));
    EXPECT_TRUE(registry->Refusals().empty());
}

TEST_F(RegistryTest, OnATieTheFirstStays) {
    Install(good_, plugins_ / "b.so");
    const auto registry = Start();
    Install(ReadAll(Fixture("good_same_version")), plugins_ / "a.so");
    ASSERT_TRUE(
        Eventually([&] { return ReasonOf(*registry, plugins_ / "a.so") == "duplicate_id"; }));
    EXPECT_EQ(registry->Loaded()[0].file, plugins_ / "b.so");
    // Its own path may bring the same version with other content.
    Install(WithMark(good_, 1), plugins_ / "b.so");
    ASSERT_TRUE(Eventually([&] { return NumberOf(*registry) == 2; }));
    EXPECT_EQ(registry->Loaded()[0].file, plugins_ / "b.so");
}

TEST_F(RegistryTest, AtStartTheOrderOfTheFoldersBreaksATie) {
    fs::create_directory(folder_ / "a-second");
    Install(ReadAll(Fixture("good_same_version")), folder_ / "a-second/good.so");
    Install(good_, plugins_ / "good.so");
    const auto registry = Start({plugins_, folder_ / "a-second"});
    EXPECT_EQ(registry->Loaded()[0].file, plugins_ / "good.so");
    EXPECT_EQ(NumberOf(*registry), 1u);
    EXPECT_EQ(ReasonOf(*registry, folder_ / "a-second/good.so"), "duplicate_id");
}

TEST_F(RegistryTest, FolderThatComesLaterIsFound) {
    const auto registry = Start({folder_ / "later"});
    fs::create_directory(folder_ / "later");
    Install(good_, folder_ / "later/good.so");
    ASSERT_TRUE(Eventually([&] { return NumberOf(*registry) == 1; }));
    fs::remove_all(folder_ / "later");
    ASSERT_TRUE(Eventually([&] { return NumberOf(*registry) == 0; }));
    fs::create_directory(folder_ / "later");
    Install(other_, folder_ / "later/other.so");
    EXPECT_TRUE(Eventually([&] { return NumberOf(*registry, "other") != 0; }));
}

TEST_F(RegistryTest, SecondStartProbesNothing) {
    Install(good_, plugins_ / "good.so");
    Install(other_, plugins_ / "other.so");
    Start()->Stop();
    EXPECT_EQ(probes_->load(), 2);
    const auto again = Start();
    EXPECT_EQ(again->Loaded().size(), 2u);
    EXPECT_EQ(probes_->load(), 2);
}

TEST_F(RegistryTest, RescanGivesARefusedFileAnotherChance) {
    Install(ReadAll(Fixture("good_without_note")),
            plugins_ / "noteless.so");  // NoteProbe refuses it
    const auto registry = Start();
    EXPECT_EQ(ReasonOf(*registry, plugins_ / "noteless.so"), "probe_failed");
    EXPECT_EQ(probes_->load(), 1);
    registry->Rescan();
    EXPECT_EQ(probes_->load(), 2);
    EXPECT_EQ(ReasonOf(*registry, plugins_ / "noteless.so"), "probe_failed");
}

TEST_F(RegistryTest, HundredGenerationsUnderReaders) {
    Install(WithMark(good_, 0), plugins_ / "good.so");
    const auto registry = Start();
    std::atomic<bool> stop{false};
    std::atomic<int> misses{0};
    std::atomic<std::uint64_t> lookups{0};
    std::vector<std::thread> readers;
    for (int i = 0; i < 4; ++i) {
        readers.emplace_back([&] {
            PluginSetReader reader(registry->source());
            std::uint64_t last = 0;
            while (!stop.load()) {
                const GenerationPtr* const found = reader.Get().Find("Good");
                if (found == nullptr || (*found)->number() < last || (*found)->chat() == nullptr) {
                    ++misses;
                    continue;
                }
                last = (*found)->number();
                const GenerationPtr session = *found;
                session->conduct()->Count(Misbehaviour::kInvalidOutput, "a test");
                ++lookups;
            }
        });
    }
    for (int i = 1; i <= 100; ++i) {
        Install(WithMark(good_, i), plugins_ / "good.so");
        registry->Rescan();
        ASSERT_EQ(NumberOf(*registry), static_cast<std::uint64_t>(i + 1));
    }
    stop.store(true);
    for (std::thread& reader : readers) reader.join();
    EXPECT_EQ(misses.load(), 0);
    EXPECT_GT(lookups.load(), 100u);
    EXPECT_EQ(registry->kept_libraries(), 101u);
    EXPECT_TRUE(Eventually([&] { return log_.Count("plugin_message", "deinit") == 100; }));
}

TEST_F(RegistryTest, PostedTasksRunOnTheLoaderThreadBeforeTheDeinitTheyHoldUp) {
    Install(good_, plugins_ / "good.so");
    const auto registry = Start();
    GenerationPtr held = *registry->Snapshot()->Find("good");
    fs::remove(plugins_ / "good.so");
    ASSERT_TRUE(Eventually([&] { return NumberOf(*registry) == 0; }));
    std::atomic<int> deinits_seen{-1};
    ASSERT_TRUE(registry->PostToLoader([&, held = std::move(held)] {
        deinits_seen = log_.Count("plugin_message", "deinit");
        registry->Rescan();  // must not wait for itself
    }));
    EXPECT_TRUE(Eventually([&] { return log_.Count("plugin_message", "deinit") == 1; }));
    EXPECT_EQ(deinits_seen.load(), 0);
}

TEST_F(RegistryTest, StopIsFinalAndLateHoldersAreSafe) {
    Install(good_, plugins_ / "good.so");
    auto registry = Start();
    GenerationPtr late = *registry->Snapshot()->Find("good");
    registry->Stop();
    registry->Stop();
    EXPECT_TRUE(registry->Snapshot()->generations().empty());
    EXPECT_FALSE(registry->PostToLoader([] {}));
    registry->Rescan();
    registry.reset();
    EXPECT_NE(late->Interface(AIM_CHAT_ID), nullptr);
    late.reset();
    EXPECT_EQ(log_.Count("plugin_message", "deinit"), 0);
}

TEST_F(RegistryTest, ConcurrentRescansAndReportsAreSafe) {
    Install(good_, plugins_ / "good.so");
    const auto registry = Start();
    std::vector<std::thread> callers;
    for (int i = 0; i < 3; ++i) {
        callers.emplace_back([&] {
            for (int round = 0; round < 20; ++round) {
                registry->Rescan();
                registry->RequestRescan();
                EXPECT_EQ(registry->Loaded().size(), 1u);
                EXPECT_TRUE(registry->Refusals().empty());
            }
        });
    }
    for (std::thread& caller : callers) caller.join();
    EXPECT_EQ(NumberOf(*registry), 1u);
}

TEST(SplitPathTest, EmptyPartsAreLeftOut) {
    EXPECT_TRUE(Registry::SplitPath("").empty());
    EXPECT_EQ(Registry::SplitPath(":/a::b/c:"), (std::vector<fs::path>{"/a", "b/c"}));
}

}  // namespace
}  // namespace aim::plugin
