// The steps between a path and a staged, trusted candidate.
#include <atomic>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/plugin/examiner.hpp"
#include "core/plugin/manifest_note.hpp"
#include "core/plugin/plugin_bytes.hpp"
#include "core/plugin/plugin_stage.hpp"
#include "core/plugin/probe_cache.hpp"
#include "core/plugin/probe_verdict.hpp"
#include "core/plugin/trust_policy.hpp"
#include "tests/bad_plugins/plugin_folder.hpp"

namespace aim::plugin {
namespace {

namespace fs = std::filesystem;

using testing::Fixture;
using testing::ReadAll;
using testing::TempFolder;
using testing::WriteAll;

ReadLimits Limits() {
    ReadLimits limits;
    limits.owner = ::geteuid();
    return limits;
}

TEST(PluginBytesTest, ReadsHashesAndStamps) {
    const TempFolder folder;
    WriteAll(folder / "file", "abc");
    const auto read = ReadPluginBytes(folder / "file", Limits());
    ASSERT_TRUE(read);
    EXPECT_EQ(read->bytes, "abc");
    EXPECT_EQ(security::ToHex(read->hash),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(read->stamp.size, 3u);
    EXPECT_EQ(security::ParseSha256(security::ToHex(read->hash)), read->hash);
}

TEST(PluginBytesTest, FolderMayBeALinkTheFileMayNot) {
    const TempFolder folder;
    fs::create_directory(folder / "real");
    WriteAll(folder / "real/file", "abc");
    fs::create_symlink(folder / "real", folder / "linked");
    fs::create_symlink(folder / "real/file", folder / "link");
    EXPECT_TRUE(ReadPluginBytes(folder / "linked/file", Limits()));
    EXPECT_EQ(ReadPluginBytes(folder / "link", Limits()).error().reason,
              RefusalReason::kNotRegularFile);
    EXPECT_EQ(ReadPluginBytes(folder / "absent", Limits()).error().reason,
              RefusalReason::kUnreadable);
    EXPECT_EQ(ReadPluginBytes(folder / "real", Limits()).error().reason,
              RefusalReason::kNotRegularFile);
}

TEST(PluginBytesTest, LimitAndModeAreChecked) {
    const TempFolder folder;
    WriteAll(folder / "file", "abcd");
    ReadLimits limits = Limits();
    limits.max_bytes = 3;
    EXPECT_EQ(ReadPluginBytes(folder / "file", limits).error().reason, RefusalReason::kTooLarge);
    for (const mode_t mode : {0620, 0602, 0666}) {
        WriteAll(folder / "file", "abcd", mode);
        EXPECT_EQ(ReadPluginBytes(folder / "file", Limits()).error().reason,
                  RefusalReason::kUnsafeOwnerOrMode);
    }
}

// Whoever writes while the bytes are read has not finished.
TEST(PluginBytesTest, FileThatGrowsWhileItIsReadIsStillChanging) {
    const TempFolder folder;
    const fs::path file = folder / "file";
    WriteAll(file, std::string(8u << 20, 'x'));
    std::atomic<bool> stop{false};
    std::thread writer([&] {
        while (!stop) {
            std::ofstream more(file, std::ios::binary | std::ios::app);
            for (int i = 0; i < 100 && !stop; ++i) more << 'x' << std::flush;
            more.close();
            // Not without end: the reader has a limit of its own.
            if (fs::file_size(file) > (16u << 20)) fs::resize_file(file, 8u << 20);
        }
    });
    EXPECT_TRUE(testing::Eventually([&] {
        const auto read = ReadPluginBytes(file, Limits());
        return !read && read.error().reason == RefusalReason::kStillChanging;
    }));
    stop = true;
    writer.join();
    EXPECT_TRUE(ReadPluginBytes(file, Limits()));
}

TEST(ManifestNoteTest, ReadsKeysInAnyOrderAndIgnoresUnknownOnes) {
    const auto note = ParseManifestNote("future=x\nversion=1.2.3\nid=groq\nabi=1.7\n");
    ASSERT_TRUE(note);
    EXPECT_EQ(note->abi_minor, 7);
    EXPECT_EQ(note->id, "groq");
    EXPECT_EQ(note->version, "1.2.3");
    EXPECT_TRUE(ParseManifestNote("abi=9.0\n"));  // another major may have other keys
    for (const char* bad : {"", "abi\n", "abi=1\n", "abi=1.x\n", "abi=1.0\n",
                            "abi=1.0\nid=A B\nversion=1.0.0\n", "abi=1.0\nid=a\nversion=1.0\n",
                            "abi=99999.0\nid=a\nversion=1.0.0\n", "id=a\nversion=1.0.0\n"}) {
        EXPECT_FALSE(ParseManifestNote(bad)) << bad;
    }
}

TEST(ManifestNoteTest, SeveralDifferentNotesAreRefused) {
    ElfImage image;
    EXPECT_FALSE(ReadManifestNote(image)->has_value());
    image.notes = {"abi=1.0\nid=a\nversion=1.0.0\n", "abi=1.0\nid=a\nversion=1.0.0\n"};
    EXPECT_TRUE(ReadManifestNote(image)->has_value());
    image.notes[1] = "abi=1.0\nid=b\nversion=1.0.0\n";
    EXPECT_EQ(ReadManifestNote(image).error().reason, RefusalReason::kManifestMismatch);
    image.notes = {"nonsense"};
    EXPECT_EQ(ReadManifestNote(image).error().reason, RefusalReason::kManifestMismatch);
    image.notes = {"abi=1.0\nid=Upper\nversion=1.0.0\n"};
    EXPECT_NE(ReadManifestNote(image).error().message.find("lower case letters"),
              std::string::npos);
    image.notes = {"abi=2.0\n"};
    EXPECT_EQ(ReadManifestNote(image).error().reason, RefusalReason::kAbiMajor);
}

TEST(TrustPolicyTest, ListIsTheStrictMode) {
    const auto hash = security::Sha256("x");
    const auto open = TrustPolicy::Parse("  ");
    ASSERT_TRUE(open);
    EXPECT_FALSE(open->strict());
    EXPECT_FALSE(open->Check(hash));
    EXPECT_FALSE(open->AllowsByName(hash));

    const auto strict =
        TrustPolicy::Parse(security::ToHex(security::Sha256("y")) + ", " + security::ToHex(hash));
    ASSERT_TRUE(strict);
    EXPECT_FALSE(strict->Check(hash));
    EXPECT_TRUE(strict->AllowsByName(hash));
    EXPECT_EQ(strict->Check(security::Sha256("z"))->reason, RefusalReason::kNotTrusted);

    const auto wrong = TrustPolicy::Parse("abc");
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().field, "PLUGIN_SHA256_ALLOW");
}

TEST(PluginStageTest, CopiesPrivatelyByContent) {
    const TempFolder folder;
    PluginStage stage(folder / "state/stage");
    const std::string bytes = ReadAll(Fixture("good"));
    const auto hash = security::Sha256(bytes);
    const auto staged = stage.Store(bytes, hash, "../Go od");
    ASSERT_TRUE(staged) << staged.error().message;
    EXPECT_EQ(staged->filename(), "ood-" + security::ToHex(hash) + ".so");
    EXPECT_EQ(ReadAll(*staged), bytes);
    EXPECT_EQ(fs::status(*staged).permissions(), static_cast<fs::perms>(0500));
    EXPECT_EQ(fs::status(folder / "state/stage").permissions(), static_cast<fs::perms>(0700));

    // A poisoned copy is replaced, a good one is kept.
    const auto inode = [&] { return ReadPluginBytes(*staged, Limits())->stamp.inode; };
    const auto first = inode();
    EXPECT_EQ(stage.Store(bytes, hash, "ood"), staged);
    EXPECT_EQ(inode(), first);
    WriteAll(*staged, "poison");
    EXPECT_EQ(stage.Store(bytes, hash, "ood"), staged);
    EXPECT_EQ(ReadAll(*staged), bytes);

    stage.Sweep(std::chrono::hours(1));
    EXPECT_TRUE(fs::exists(*staged));
    stage.Sweep(std::chrono::seconds(-5));
    EXPECT_FALSE(fs::exists(*staged));
}

TEST(PluginStageTest, FolderThatIsALinkOrAFileIsRefused) {
    const TempFolder folder;
    fs::create_directory(folder / "elsewhere");
    fs::create_symlink(folder / "elsewhere", folder / "stage");
    EXPECT_EQ(PluginStage(folder / "stage").Store("x", security::Sha256("x"), "x").error().reason,
              RefusalReason::kStagingFailed);
    WriteAll(folder / "file", "");
    EXPECT_EQ(
        PluginStage(folder / "file/stage").Store("x", security::Sha256("x"), "x").error().reason,
        RefusalReason::kStagingFailed);
}

// In a child with a mount of its own. Containers mount volumes so, and the loader's own words for
// it help nobody.
TEST(PluginStageTest, FileSystemWithoutExecIsNamed) {
    const TempFolder folder;
    enum Result { kNamed, kNotNamed, kMayNotMount };
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        if (::unshare(CLONE_NEWNS) != 0 ||
            ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            ::mount("tmpfs", folder.path().c_str(), "tmpfs", MS_NOEXEC, "size=4m") != 0)
            ::_exit(kMayNotMount);
        const auto staged = PluginStage(folder / "stage").Store("x", security::Sha256("x"), "x");
        const bool named = !staged && staged.error().reason == RefusalReason::kNoexecStaging &&
                           staged.error().message.find("AIM_STATE_DIR") != std::string::npos &&
                           staged.error().message.find(folder.path().string()) != std::string::npos;
        ::_exit(named ? kNamed : kNotNamed);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    if (WEXITSTATUS(status) == kMayNotMount) GTEST_SKIP() << "this process may not mount";
    EXPECT_EQ(WEXITSTATUS(status), kNamed);
}

TEST(ProbeVerdictTest, SurvivesTheLine) {
    ProbeVerdict good;
    good.id = "groq";
    good.version = "1.2.3";
    EXPECT_EQ(ParseProbeVerdict(FormatProbeVerdict(good)), good);
    const ProbeVerdict bad = ProbeVerdict::Refused(RefusalReason::kInitFailed, "it says no");
    EXPECT_EQ(ParseProbeVerdict(FormatProbeVerdict(bad)), bad);
    EXPECT_EQ(FormatProbeVerdict(ProbeVerdict::Refused(RefusalReason::kProbeFailed, "a\tb\nc")),
              "refused\tprobe_failed\ta?b?c");
    for (const char* line :
         {"", "ok", "ok\tgroq", "ok\tGroq!\t1.0.0", "ok\tgroq\tone", "ok\tgroq\t1.0.0\tmore",
          "refused\tnonsense\tx", "maybe\tgroq\t1.0.0"}) {
        EXPECT_FALSE(ParseProbeVerdict(line)) << line;
    }
}

TEST(RefusalTest, NamesAreUniqueAndReadBack) {
    std::set<std::string_view> names;
    for (int i = 0; i < kRefusalReasonCount; ++i) {
        const auto reason = static_cast<RefusalReason>(i);
        EXPECT_EQ(ParseRefusalName(RefusalName(reason)), reason);
        names.insert(RefusalName(reason));
    }
    EXPECT_EQ(names.size(), static_cast<std::size_t>(kRefusalReasonCount));
    EXPECT_FALSE(ParseRefusalName("nothing"));
    EXPECT_EQ(Printable("a\nb\xff", 10), "a?b?");
    EXPECT_EQ(Printable("abcdef", 3), "abc...");
}

TEST(ProbeCacheTest, RemembersAcrossObjectsButNotAcrossBuilds) {
    const TempFolder folder;
    const WallTime now{std::chrono::hours(500000)};
    const auto good_hash = security::Sha256("good");
    const auto slow_hash = security::Sha256("slow");
    ProbeVerdict good;
    good.id = "groq";
    good.version = "1.2.3";
    const ProbeVerdict slow = ProbeVerdict::Refused(RefusalReason::kProbeTimeout, "too slow");
    {
        ProbeCache cache(folder / "state/cache", "build 1");
        EXPECT_FALSE(cache.Find(good_hash, now));
        cache.Store(good_hash, good, now);
        cache.Store(slow_hash, slow, now);
    }
    ProbeCache cache(folder / "state/cache", "build 1");
    EXPECT_EQ(cache.Find(good_hash, now + std::chrono::hours(1000)), good);
    EXPECT_EQ(cache.Find(slow_hash, now + std::chrono::minutes(9)), slow);
    EXPECT_FALSE(cache.Find(slow_hash, now + std::chrono::minutes(11)));
    EXPECT_FALSE(ProbeCache(folder / "state/cache", "build 2").Find(good_hash, now));
}

TEST(ProbeCacheTest, DamagedOrForeignFileIsForgotten) {
    const TempFolder folder;
    const WallTime now{};
    const auto hash = security::Sha256("x");
    const std::string line = "b\t" + security::ToHex(hash) + "\t0\tok\tgroq\t1.0.0\n";
    WriteAll(folder / "cache", "b\tzz\t0\tok\n\n\t\t\t\n" + line + "b\t");
    EXPECT_TRUE(ProbeCache(folder / "cache", "b").Find(hash, now));
    // Who can write to it decides what runs unprobed.
    WriteAll(folder / "cache", line, 0666);
    EXPECT_FALSE(ProbeCache(folder / "cache", "b").Find(hash, now));
    ProbeCache unwritable("/proc/nothing/cache", "b");
    unwritable.Store(hash, ProbeVerdict::Refused(RefusalReason::kProbeFailed, "x"), now);
    EXPECT_TRUE(unwritable.Find(hash, now));
}

TEST(ExaminerTest, StrictTrustRefusesAStranger) {
    const TempFolder folder;
    WriteAll(folder / "good.so", ReadAll(Fixture("good")));
    Examiner examiner(Limits(), *TrustPolicy::Parse(std::string(64, 'a')),
                      PluginStage(folder / "stage"));
    const auto content = examiner.Read(folder / "good.so");
    ASSERT_TRUE(content);
    EXPECT_EQ(examiner.Prepare(folder / "good.so", *content).error().reason,
              RefusalReason::kNotTrusted);
    EXPECT_FALSE(fs::exists(folder / "stage"));
}

}  // namespace
}  // namespace aim::plugin
