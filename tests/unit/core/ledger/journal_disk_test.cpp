// The journal when the disk is full, slow or gone, and under many threads.
#include <atomic>
#include <csignal>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/ledger/journal.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/unit/core/ledger/ledger_test_support.hpp"

namespace {

std::atomic<std::int64_t> g_sync_takes_ms{0};

}  // namespace

// libc's, and as slow as a test wants it. The program's own definition comes first.
extern "C" int fdatasync(int descriptor) {
    std::this_thread::sleep_for(std::chrono::milliseconds(g_sync_takes_ms.load()));
    return static_cast<int>(::syscall(SYS_fdatasync, descriptor));
}

namespace aim::ledger {
namespace {

using Texts = std::vector<std::string>;

class JournalDiskTest : public ::testing::Test {
  protected:
    JournalDiskTest() {
        options_.folder = folder_.path() / "ledger";
        options_.segment_bytes = 64 * 1024;
        options_.fsync_interval = std::chrono::milliseconds(5);
    }

    const ScratchFolder folder_;
    JournalOptions options_;
    testing::LogCapture log_;
};

// While it lives, a sync takes so long and longer.
class SlowSyncs {
  public:
    explicit SlowSyncs(std::chrono::milliseconds time) { g_sync_takes_ms = time.count(); }
    ~SlowSyncs() { g_sync_takes_ms = 0; }
    SlowSyncs(const SlowSyncs&) = delete;
    SlowSyncs& operator=(const SlowSyncs&) = delete;
};

// No file of this process may become larger than a page: the same refusal as a full disk, for
// everybody's user.
class NoSpace {
  public:
    NoSpace() {
        before_handler_ = std::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &before_);
        rlimit limit = before_;
        limit.rlim_cur = 4096;
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~NoSpace() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, before_handler_);
    }
    NoSpace(const NoSpace&) = delete;
    NoSpace& operator=(const NoSpace&) = delete;

  private:
    rlimit before_{};
    void (*before_handler_)(int) = nullptr;
};

TEST_F(JournalDiskTest, AFullDiskIsSurvivedInMemoryAndHealsWithNothingLost) {
    options_.memory_bytes = 256 * 1024;
    Journal journal(options_, log_);
    Texts expected;
    const auto append = [&] {
        expected.push_back(std::to_string(expected.size()) + std::string(1000, 'x'));
        return journal.Append(One(expected.back()));
    };
    {
        const NoSpace no_space;
        ASSERT_TRUE(journal.Open());
        EXPECT_TRUE(journal.status().degraded);
        EXPECT_FALSE(journal.status().problem.empty());
        while (!journal.full() && expected.size() < 1000) append();
        EXPECT_GT(expected.size(), 200u);
        EXPECT_LT(expected.size(), 300u);
        EXPECT_TRUE(Eventually([&] { return !journal.NeedsWait(append()); }));
        EXPECT_GT(journal.status().disk_errors, 0u);
        EXPECT_EQ(journal.status().memory_records, expected.size());
        // The data API may well be there: delivery goes on from memory.
        const auto entries = journal.Take(50, 1u << 20);
        ASSERT_EQ(entries.size(), 50u);
        EXPECT_EQ(entries[0].record.json, expected[0]);
        journal.Acknowledge(entries);
        expected.erase(expected.begin(), expected.begin() + 50);
        EXPECT_EQ(log_.Count("ledger_disk_failed"), 1u);
    }
    EXPECT_TRUE(Eventually([&] {
        return !journal.status().degraded && journal.status().memory_records == 0;
    })) << journal.status().problem;
    EXPECT_FALSE(journal.full());
    EXPECT_TRUE(Eventually([&] { return log_.Count("ledger_disk_works") == 1; }));
    journal.Append(One("after"));
    expected.emplace_back("after");
    journal.Close();
    Journal next(options_, log_);
    ASSERT_TRUE(next.Open());
    EXPECT_EQ(TakeAll(next), expected);
}

// What is taken from memory and moves to the disk before it is acknowledged is not taken again.
TEST_F(JournalDiskTest, ABatchUnderWayMayMoveToTheDisk) {
    Journal journal(options_, log_);
    std::vector<Journal::Entry> under_way;
    {
        const NoSpace no_space;
        ASSERT_TRUE(journal.Open());
        for (const char* text : {"1", "2", "3"}) journal.Append(One(text));
        under_way = journal.Take(2, 100);
        ASSERT_EQ(under_way.size(), 2u);
    }
    ASSERT_TRUE(Eventually([&] { return journal.status().memory_records == 0; }));
    EXPECT_EQ(TakeAll(journal), Texts{"3"});
    journal.Acknowledge(under_way);
    journal.Close();
    Journal next(options_, log_);
    ASSERT_TRUE(next.Open());
    EXPECT_EQ(TakeAll(next), Texts{"3"});
}

TEST_F(JournalDiskTest, ARealFullFileSystemTooAndItsRoomComesBackWithTheDelivery) {
    const auto mounted = folder_.path() / "small";
    std::filesystem::create_directory(mounted);
    if (::geteuid() != 0 || ::mount("tmpfs", mounted.c_str(), "tmpfs", 0, "size=400k") != 0)
        GTEST_SKIP() << "mounting a small file system needs root";
    options_.folder = mounted / "ledger";
    {
        Journal journal(options_, log_);
        ASSERT_TRUE(journal.Open());
        Texts expected;
        const auto fill = [&] {
            expected.push_back(std::to_string(expected.size()) + std::string(1000, 'x'));
            journal.Append(One(expected.back()));
            return journal.status().degraded && journal.status().memory_records > 20;
        };
        ASSERT_TRUE(Eventually(fill));
        EXPECT_NE(journal.status().problem.find("No space left"), std::string::npos)
            << journal.status().problem;
        Texts got;
        for (;;) {
            const auto entries = journal.Take(20, 1u << 20);
            if (entries.empty()) break;
            for (const auto& entry : entries) got.push_back(entry.record.json);
            journal.Acknowledge(entries);
        }
        EXPECT_EQ(got, expected);
        EXPECT_TRUE(Eventually([&] { return !journal.status().degraded; }));
        EXPECT_EQ(journal.status().corrupt, 0u);
        journal.Append(One("after"));
        EXPECT_EQ(TakeAll(journal), Texts{"after"});
    }
    EXPECT_EQ(::umount(mounted.c_str()), 0);
}

// On a disk so slow that 200 records come within a few of its syncs.
TEST_F(JournalDiskTest, UnderAlwaysAnAnswerWaitsForItsSyncAndSharesItWithOthers) {
    const SlowSyncs slow(std::chrono::milliseconds(20));
    options_.fsync = FsyncPolicy::kAlways;
    options_.fsync_interval = std::chrono::milliseconds(1000);
    telemetry::Histogram syncs({0.001});
    boost::asio::io_context loop{1};
    Journal journal(options_, log_);
    journal.ObserveSyncs(syncs);
    ASSERT_TRUE(journal.Open());
    int answered = 0;
    int waited = 0;
    constexpr int kPrompts = 200;
    const auto prompt = [&]() -> Task<> {
        const Journal::Ticket ticket = journal.Append(One("{}"));
        // Not each of them, for somebody else's sync may be over already.
        waited += journal.NeedsWait(ticket);
        co_await journal.Wait(ticket);
        EXPECT_FALSE(journal.NeedsWait(ticket));
        ++answered;
    };
    for (int i = 0; i < kPrompts; ++i) boost::asio::co_spawn(loop, prompt, boost::asio::detached);
    loop.run_for(std::chrono::seconds(20));
    EXPECT_EQ(answered, kPrompts);
    EXPECT_GT(waited, 0);
    EXPECT_EQ(journal.status().unsynced_answers, 0u);
    EXPECT_GT(syncs.Read().count, 0u);
    EXPECT_LT(syncs.Read().count, static_cast<std::uint64_t>(kPrompts) / 2);
}

TEST_F(JournalDiskTest, UnderTheOtherPoliciesNobodyWaits) {
    for (const FsyncPolicy policy : {FsyncPolicy::kInterval, FsyncPolicy::kNever}) {
        options_.fsync = policy;
        telemetry::Histogram syncs({0.001});
        Journal journal(options_, log_);
        journal.ObserveSyncs(syncs);
        ASSERT_TRUE(journal.Open());
        EXPECT_FALSE(journal.NeedsWait(journal.Append(One("{}"))));
        if (policy == FsyncPolicy::kInterval) {
            EXPECT_TRUE(Eventually([&] { return syncs.Read().count > 0; }));
        } else {
            journal.Close();
            EXPECT_EQ(syncs.Read().count, 0u);
        }
    }
}

// A disk that does not take anything must not hold the answers back.
TEST_F(JournalDiskTest, UnderAlwaysAFullDiskReleasesTheAnswers) {
    options_.fsync = FsyncPolicy::kAlways;
    boost::asio::io_context loop{1};
    Journal journal(options_, log_);
    bool answered = false;
    {
        const NoSpace no_space;
        ASSERT_TRUE(journal.Open());
        const auto prompt = [&]() -> Task<> {
            const Journal::Ticket ticket = journal.Append(One("{}"));
            if (journal.NeedsWait(ticket)) co_await journal.Wait(ticket);
            answered = true;
        };
        boost::asio::co_spawn(loop, prompt, boost::asio::detached);
        loop.run_for(std::chrono::seconds(20));
    }
    EXPECT_TRUE(answered);
}

TEST_F(JournalDiskTest, ClosingReleasesWhoWaits) {
    options_.fsync = FsyncPolicy::kAlways;
    boost::asio::io_context loop{1};
    Journal journal(options_, log_);
    ASSERT_TRUE(journal.Open());
    bool answered = false;
    const auto prompt = [&]() -> Task<> {
        const Journal::Ticket ticket = journal.Append(One("{}"));
        journal.Close();
        co_await journal.Wait(ticket);
        answered = true;
    };
    boost::asio::co_spawn(loop, prompt, boost::asio::detached);
    loop.run_for(std::chrono::seconds(10));
    EXPECT_TRUE(answered);
}

// Four writers over many small segments, a reader that acknowledges, restarts in between: every
// record arrives once and in each writer's order.
TEST_F(JournalDiskTest, ManyWritersLoseNothing) {
    constexpr int kWriters = 4;
    constexpr int kRecords = 1500;
    std::vector<int> next(kWriters, 0);
    int seen = 0;
    const auto take = [&](Journal& journal) {
        const auto entries = journal.Take(100, 1u << 20);
        for (const Journal::Entry& entry : entries) {
            const int writer = entry.record.json[0] - 'a';
            EXPECT_EQ(std::atoi(entry.record.json.c_str() + 1), next[writer]++);
            ++seen;
        }
        journal.Acknowledge(entries);
        return !entries.empty();
    };
    for (int round = 0; round < 2; ++round) {
        Journal journal(options_, log_);
        ASSERT_TRUE(journal.Open());
        std::vector<std::thread> writers;
        for (int w = 0; w < kWriters; ++w) {
            writers.emplace_back([&journal, w, round] {
                for (int i = 0; i < kRecords; ++i) {
                    std::string text(1, static_cast<char>('a' + w));
                    text += std::to_string(round * kRecords + i) + " ";
                    text.resize(static_cast<std::size_t>(100 + (i * 37) % 400), 'x');
                    journal.Append(One(std::move(text)));
                }
            });
        }
        while (seen < kWriters * kRecords / 3 + round * kWriters * kRecords / 2) take(journal);
        for (std::thread& writer : writers) writer.join();
    }
    Journal journal(options_, log_);
    ASSERT_TRUE(journal.Open());
    while (take(journal)) {
    }
    EXPECT_EQ(seen, 2 * kWriters * kRecords);
    EXPECT_EQ(journal.status().corrupt, 0u);
    EXPECT_EQ(log_.Count("ledger_unwritten"), 0u);
}

}  // namespace
}  // namespace aim::ledger
