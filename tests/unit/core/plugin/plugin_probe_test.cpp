// The spawned probe, with shell scripts in the part of the probe program.
#include "core/plugin/plugin_probe.hpp"

#include <cstdlib>

#include <gtest/gtest.h>
#include <unistd.h>

#include "core/plugin/folder_watcher.hpp"
#include "tests/bad_plugins/plugin_folder.hpp"

namespace aim::plugin {
namespace {

namespace fs = std::filesystem;

class SpawnedProbeTest : public ::testing::Test {
  protected:
    ProbeResult Run(const std::string& script,
                    std::chrono::milliseconds limit = std::chrono::seconds(10),
                    std::stop_token stop = {}) {
        testing::WriteAll(folder_ / "probe", "#!/bin/sh\n" + script + "\n", 0755);
        return SpawnedProbe(folder_ / "probe", limit).Probe("/some/file.so", stop);
    }
    testing::TempFolder folder_;
};

TEST_F(SpawnedProbeTest, VerdictComesOverItsOwnDescriptor) {
    const ProbeResult result =
        Run("echo noise; echo 'ok\tforged\t9.9.9'; printf 'ok\\tgroq\\t1.2.3\\n' >&3; exit 0");
    EXPECT_FALSE(result.verdict.refusal);
    EXPECT_EQ(result.verdict.id, "groq");
    EXPECT_TRUE(result.conclusive);
    EXPECT_EQ(result.output, "noise\nok\tforged\t9.9.9\n");
}

TEST_F(SpawnedProbeTest, ArgumentsAreThoseOfTheCheckCommand) {
    const ProbeResult result = Run("echo \"$@\"; exit 0");
    EXPECT_EQ(result.output, "plugin check --probe --verdict-fd 3 /some/file.so\n");
}

TEST_F(SpawnedProbeTest, RefusalIsPassedOn) {
    const ProbeResult result = Run("printf 'refused\\tinit_failed\\tno licence\\n' >&3; exit 1");
    ASSERT_TRUE(result.verdict.refusal);
    EXPECT_EQ(result.verdict.refusal->reason, RefusalReason::kInitFailed);
    EXPECT_EQ(result.verdict.refusal->message, "no licence");
    const ProbeResult told = Run(
        "echo 'the moon is full'; printf 'refused\\tinit_failed\\tinit said -1\\n' >&3; exit 1");
    ASSERT_TRUE(told.verdict.refusal);
    EXPECT_NE(told.verdict.refusal->message.find("init said -1; it said: the moon is full"),
              std::string::npos)
        << told.verdict.refusal->message;
}

TEST_F(SpawnedProbeTest, EndWithoutAVerdictIsAFailure) {
    for (const char* script :
         {"exit 0", "exit 7", "printf 'ok\\tgroq' >&3", "printf 'garbage\\n' >&3"}) {
        const ProbeResult result = Run(script);
        ASSERT_TRUE(result.verdict.refusal) << script;
        EXPECT_EQ(result.verdict.refusal->reason, RefusalReason::kProbeFailed) << script;
        EXPECT_TRUE(result.conclusive);
    }
}

TEST_F(SpawnedProbeTest, SignalIsACrashEvenAfterAVerdict) {
    const ProbeResult result =
        Run("echo last words >&2; printf 'ok\\tgroq\\t1.2.3\\n' >&3; kill -SEGV $$");
    ASSERT_TRUE(result.verdict.refusal);
    EXPECT_EQ(result.verdict.refusal->reason, RefusalReason::kProbeCrashed);
    EXPECT_NE(result.verdict.refusal->message.find("SIGSEGV"), std::string::npos)
        << result.verdict.refusal->message;
    EXPECT_NE(result.verdict.refusal->message.find("last words"), std::string::npos);
}

TEST_F(SpawnedProbeTest, TimeLimitKillsTheWholeGroup) {
    const fs::path pid_file = folder_ / "pid";
    const ProbeResult result = Run("sleep 600 & echo $! > " + pid_file.string() + "; wait",
                                   std::chrono::milliseconds(500));
    ASSERT_TRUE(result.verdict.refusal);
    EXPECT_EQ(result.verdict.refusal->reason, RefusalReason::kProbeTimeout);
    EXPECT_TRUE(result.conclusive);
    const std::string pid = testing::ReadAll(pid_file);
    ASSERT_FALSE(pid.empty());
    // Gone, or a zombie that its new parent has not collected yet.
    EXPECT_TRUE(testing::Eventually([&] {
        const std::string status =
            testing::ReadAll("/proc/" + pid.substr(0, pid.size() - 1) + "/stat");
        return status.empty() || status.find(") Z") != std::string::npos;
    }));
}

TEST_F(SpawnedProbeTest, StopInterruptsAndIsNoVerdict) {
    std::stop_source stop;
    stop.request_stop();
    const ProbeResult result = Run("sleep 600", std::chrono::seconds(600), stop.get_token());
    EXPECT_TRUE(result.verdict.refusal);
    EXPECT_FALSE(result.conclusive);
}

TEST_F(SpawnedProbeTest, EnvironmentAndDescriptorsAreClean) {
    ::setenv("GROQ_API_KEY", "canary-secret", 1);
    const int leak = ::dup(0);  // without close-on-exec
    const ProbeResult result = Run("env; ls /proc/self/fd | tr '\\n' ' '");
    ::close(leak);
    ::unsetenv("GROQ_API_KEY");
    EXPECT_EQ(result.output.find("canary"), std::string::npos);
    EXPECT_NE(result.output.find("PATH=/usr/bin:/bin"), std::string::npos);
    EXPECT_NE(result.output.find("0 1 2 3 4 "), std::string::npos)
        << result.output;  // 4 is ls's own
    EXPECT_EQ(result.output.find(" 5 "), std::string::npos) << result.output;
}

TEST_F(SpawnedProbeTest, OutputIsCut) {
    const ProbeResult result =
        Run("head -c 300000 /dev/zero | tr '\\0' x; head -c 100000 /dev/zero >&3");
    EXPECT_EQ(result.output.size(), 4096u);
    EXPECT_EQ(result.verdict.refusal->reason, RefusalReason::kProbeFailed);
}

TEST_F(SpawnedProbeTest, MissingProgramIsNotTheFilesFault) {
    SpawnedProbe probe(folder_ / "absent", std::chrono::seconds(1));
    const ProbeResult result = probe.Probe("/some/file.so", {});
    EXPECT_EQ(result.verdict.refusal->reason, RefusalReason::kProbeFailed);
    EXPECT_FALSE(result.conclusive);
    EXPECT_EQ(probe.Identity(), "none");
}

TEST(FolderWatcherTest, ListsByFolderThenNameAndIgnoresWhatIsNotThere) {
    const testing::TempFolder folder;
    fs::create_directory(folder / "z");
    fs::create_directory(folder / "a");
    for (const char* name : {"z/2.so", "z/1.so", "a/3.so", "z/.hidden", "z/x.tmp", "z/x.part"}) {
        testing::WriteAll(folder / name, "x");
    }
    FolderWatcher watcher({folder / "z", folder / "absent", folder / "a", folder / "z"}, {});
    const auto found = watcher.Look(MonotonicTime(std::chrono::seconds(10)));
    ASSERT_EQ(found.size(), 3u);
    EXPECT_EQ(found[0].path, folder / "z/1.so");
    EXPECT_EQ(found[1].path, folder / "z/2.so");
    EXPECT_EQ(found[2].path, folder / "a/3.so");
    EXPECT_FALSE(found[0].complete);
    // A missing folder is looked for soon.
    EXPECT_EQ(watcher.NextLook(), MonotonicTime(std::chrono::seconds(11)));
}

TEST(FolderWatcherTest, NotificationsAreDebouncedButNotPutOffForEver) {
    const testing::TempFolder folder;
    FolderWatcher::Options options;
    options.debounce = std::chrono::milliseconds(100);
    FolderWatcher watcher({folder.path()}, options);
    const MonotonicTime start(std::chrono::seconds(100));
    const auto at = [&](int milliseconds) {
        return start + std::chrono::milliseconds(milliseconds);
    };
    watcher.Look(start);
    ASSERT_GE(watcher.fd(), 0);
    testing::WriteAll(folder / "ignored.tmp", "x");
    watcher.DrainNotifications(at(1));
    EXPECT_GE(watcher.NextLook(), at(1000));
    for (int i = 0; i < 20; ++i) {
        testing::WriteAll(folder / "a.so", std::string(static_cast<std::size_t>(i), 'x'));
        watcher.DrainNotifications(at(50 * i));
    }
    EXPECT_LE(watcher.NextLook(), at(500));
    const auto found = watcher.Look(at(500));
    ASSERT_EQ(found.size(), 1u);
    EXPECT_TRUE(found[0].complete);
    EXPECT_FALSE(watcher.Look(at(600))[0].complete);
}

}  // namespace
}  // namespace aim::plugin
