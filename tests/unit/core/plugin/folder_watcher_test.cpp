// When the plugin folders are looked at, and what is taken for complete. Time is the test's; only
// the kernel's notifications are real.
#include "core/plugin/folder_watcher.hpp"

#include <fstream>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include "tests/bad_plugins/plugin_folder.hpp"

namespace aim::plugin {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Install;
using testing::TempFolder;
using testing::WriteAll;

class FolderWatcherTimesTest : public ::testing::Test {
  protected:
    FolderWatcherTimesTest() {
        (void)watcher_.Look(now_);
        periodic_ = watcher_.NextLook();
    }

    // Takes the kernel's notifications, as the loader thread does when the descriptor is readable.
    bool Notified() {
        pollfd descriptor{watcher_.fd(), POLLIN, 0};
        if (::poll(&descriptor, 1, 0) != 1) return false;
        watcher_.DrainNotifications(now_);
        return true;
    }
    std::vector<FileSighting> Look() { return watcher_.Look(now_); }

    static FolderWatcher::Options Times() {
        FolderWatcher::Options options;
        options.debounce = milliseconds(100);
        options.fast_rescan = seconds(1);
        options.slow_rescan = seconds(30);
        return options;
    }
    // The temporary folder may be on a file system without reliable notifications (overlay).
    milliseconds Period() const {
        return std::chrono::duration_cast<milliseconds>(watcher_.NextLook() - now_);
    }

    TempFolder folder_;
    MonotonicTime now_{std::chrono::hours(1)};
    FolderWatcher watcher_{{folder_.path()}, Times()};
    MonotonicTime periodic_;
};

TEST_F(FolderWatcherTimesTest, WithoutAHintTheNextLookIsThePeriodicOne) {
    EXPECT_FALSE(Notified());
    EXPECT_TRUE(Period() == seconds(1) || Period() == seconds(30)) << Period().count();
    now_ += seconds(5);
    (void)Look();
    EXPECT_TRUE(Period() == seconds(1) || Period() == seconds(30)) << Period().count();
}

TEST_F(FolderWatcherTimesTest, MissingFolderIsLookedForEverySecond) {
    FolderWatcher watcher({folder_ / "later", folder_.path()}, Times());
    EXPECT_TRUE(watcher.Look(now_).empty());
    EXPECT_EQ(watcher.NextLook(), now_ + seconds(1));
    fs::create_directory(folder_ / "later");
    WriteAll(folder_ / "later" / "a.so", "x");
    ASSERT_EQ(watcher.Look(now_ + seconds(1)).size(), 1u);
}

TEST_F(FolderWatcherTimesTest, MovedFileIsCompleteAfterTheDebounce) {
    Install("x", folder_ / "a.so");
    ASSERT_TRUE(Notified());
    EXPECT_EQ(watcher_.NextLook(), now_ + milliseconds(100));
    const auto found = Look();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].path, folder_ / "a.so");
    EXPECT_TRUE(found[0].complete);
    // Said once: the next look knows nothing new.
    EXPECT_FALSE(Look()[0].complete);
}

TEST_F(FolderWatcherTimesTest, FileThatIsBeingWrittenIsNoHintUntilItsWriterClosesIt) {
    const int file = ::open((folder_ / "a.so").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    ASSERT_GE(file, 0);
    ASSERT_EQ(::write(file, "half", 4), 4);
    EXPECT_FALSE(Notified());
    ASSERT_EQ(Look().size(), 1u);
    EXPECT_FALSE(Look()[0].complete);
    ASSERT_EQ(::close(file), 0);
    ASSERT_TRUE(Notified());
    EXPECT_TRUE(Look()[0].complete);
}

TEST_F(FolderWatcherTimesTest, HintsInARowPutTheLookOffButNotForEver) {
    const MonotonicTime first = now_;
    for (int i = 0; i < 20; ++i) {
        WriteAll(folder_ / "a.so", std::to_string(i));
        ASSERT_TRUE(Notified());
        now_ += milliseconds(90);
    }
    EXPECT_LE(watcher_.NextLook(), first + milliseconds(500));
}

TEST_F(FolderWatcherTimesTest, OtherFilesAreNeitherHintsNorFound) {
    for (const char* name : {".hidden.so", "a.so.tmp", "a.so.part", "notes.txt", "libso", "so"})
        WriteAll(folder_ / name, "x");
    fs::create_directory(folder_ / "folder.so");
    (void)Notified();  // takes them, and they move nothing
    EXPECT_EQ(watcher_.NextLook(), periodic_);
    EXPECT_TRUE(Look().empty());
    WriteAll(folder_ / "a.so.1", "x");
    EXPECT_EQ(Look().size(), 1u);
}

TEST_F(FolderWatcherTimesTest, RemovalAndChangeOfModeAreHints) {
    Install("x", folder_ / "a.so");
    ASSERT_TRUE(Notified());
    (void)Look();
    fs::permissions(folder_ / "a.so", fs::perms(0664));
    ASSERT_TRUE(Notified());
    EXPECT_EQ(watcher_.NextLook(), now_ + milliseconds(100));
    (void)Look();
    fs::remove(folder_ / "a.so");
    ASSERT_TRUE(Notified());
    EXPECT_EQ(watcher_.NextLook(), now_ + milliseconds(100));
    EXPECT_TRUE(Look().empty());
}

TEST_F(FolderWatcherTimesTest, FolderThatIsReplacedIsWatchedAgain) {
    fs::remove_all(folder_.path());
    ASSERT_TRUE(Notified());
    EXPECT_TRUE(Look().empty());
    EXPECT_EQ(Period(), seconds(1));
    fs::create_directory(folder_.path());
    (void)Look();
    (void)Notified();
    (void)Look();
    Install("x", folder_ / "a.so");
    ASSERT_TRUE(Notified());
    EXPECT_EQ(Look().size(), 1u);
}

// A full queue tells only that something was lost: that is a reason to look, and what is found is
// judged by standing still, not by a notification.
TEST_F(FolderWatcherTimesTest, OverflowOfTheKernelsQueueIsAReasonToLook) {
    int limit = 16'384;
    std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> limit;
    if (limit > 200'000) GTEST_SKIP() << "this kernel queues " << limit << " events";
    // Equal events in a row are joined, so two files in turn. Their names are not looked at.
    const fs::path names[] = {folder_ / "noise.1", folder_ / "noise.2"};
    for (const fs::path& name : names) WriteAll(name, "");
    for (int i = 0; i < limit + 100; ++i) {
        const int file = ::open(names[i % 2].c_str(), O_WRONLY | O_CLOEXEC);
        ASSERT_GE(file, 0);
        ::close(file);
    }
    Install("x", folder_ / "lost.so");
    ASSERT_TRUE(Notified());
    EXPECT_EQ(watcher_.NextLook(), now_ + milliseconds(100));
    const auto found = Look();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].path, folder_ / "lost.so");
    EXPECT_FALSE(found[0].complete);
}

}  // namespace
}  // namespace aim::plugin
