// Taking records off the disk: it is read in chunks of 128 KiB, and records are of any size.
#include <gtest/gtest.h>

#include "core/ledger/journal.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/unit/core/ledger/ledger_test_support.hpp"

namespace aim::ledger {
namespace {

using Texts = std::vector<std::string>;

constexpr std::size_t kKiB = 1024;

class JournalReaderTest : public ::testing::Test {
  protected:
    JournalReaderTest() {
        options_.folder = folder_.path() / "ledger";
        options_.segment_bytes = 16 * kKiB * kKiB;
        options_.lock_wait = std::chrono::milliseconds(0);
    }

    // All of them on the disk, none in memory.
    std::unique_ptr<Journal> Holding(const std::vector<std::size_t>& sizes) {
        auto journal = std::make_unique<Journal>(options_, log_);
        EXPECT_TRUE(journal->Open());
        for (const std::size_t size : sizes) {
            // The number ahead and at the end, so that no byte of a long one may be another's.
            const std::string number = std::to_string(expected_.size());
            std::string text = number + std::string(size, 'x') + number;
            expected_.push_back(text);
            journal->Append(One(std::move(text)));
        }
        EXPECT_TRUE(Eventually([&] { return journal->status().memory_records == 0; }));
        return journal;
    }

    // In batches, each acknowledged, and within both limits.
    Texts Drain(Journal& journal, std::size_t most, std::size_t most_bytes) {
        Texts texts;
        for (;;) {
            const auto entries = journal.Take(most, most_bytes);
            if (entries.empty()) return texts;
            std::size_t bytes = 0;
            for (const Journal::Entry& entry : entries) {
                EXPECT_EQ(entry.sequence, texts.size() + 1);
                bytes += entry.record.json.size();
                texts.push_back(entry.record.json);
            }
            EXPECT_LE(entries.size(), most);
            if (entries.size() > 1) EXPECT_LE(bytes, most_bytes);
            journal.Acknowledge(entries);
        }
    }

    // One by one: a difference of megabytes is no message.
    void ExpectAll(const Texts& got) {
        ASSERT_EQ(got.size(), expected_.size());
        for (std::size_t i = 0; i < got.size(); ++i)
            EXPECT_TRUE(got[i] == expected_[i]) << "record " << i << " is another";
    }

    const ScratchFolder folder_;
    JournalOptions options_;
    testing::LogCapture log_;
    Texts expected_;
};

TEST_F(JournalReaderTest, ManySmallRecordsOverManyChunks) {
    const auto journal = Holding(std::vector<std::size_t>(3000, 700));
    ExpectAll(Drain(*journal, 7, 1u << 20));
    EXPECT_FALSE(journal->has_unread());
    EXPECT_EQ(journal->status().corrupt, 0u);
}

// At, just below and just above what is read at a time, and the largest that there may be.
TEST_F(JournalReaderTest, LongRecordsBetweenShortOnes) {
    std::vector<std::size_t> sizes;
    for (const std::size_t size : {126 * kKiB, 128 * kKiB - 90, 128 * kKiB - 80, 128 * kKiB,
                                   129 * kKiB, 300 * kKiB, 3 * kKiB * kKiB})
        sizes.insert(sizes.end(), {10, size, 2000, size, size, 20});
    const auto journal = Holding(sizes);
    ExpectAll(Drain(*journal, 500, 1u << 20));
    EXPECT_EQ(journal->status().corrupt, 0u);
    EXPECT_EQ(journal->status().disk_errors, 0u);
}

TEST_F(JournalReaderTest, ABatchThatIsFullLeavesTheRestOfItsChunk) {
    const auto journal = Holding({100, 100, 400 * kKiB, 100, 100});
    auto entries = journal->Take(1, 1u << 20);
    ASSERT_EQ(entries.size(), 1u);
    entries = journal->Take(500, 300 * kKiB);  // the next fits, the long one does not
    ASSERT_EQ(entries.size(), 1u);
    entries = journal->Take(500, 300 * kKiB);  // alone it is taken, whatever its size
    ASSERT_EQ(entries.size(), 1u);
    EXPECT_EQ(entries[0].sequence, 3u);
    entries = journal->Take(500, 300 * kKiB);
    ASSERT_EQ(entries.size(), 2u);
    EXPECT_TRUE(entries[1].record.json == expected_[4]);
    EXPECT_TRUE(journal->Take(500, 300 * kKiB).empty());
}

TEST_F(JournalReaderTest, RecordsThatComeWhileItReads) {
    const auto journal = Holding(std::vector<std::size_t>(200, 3000));
    std::thread writer([&] {
        for (int i = 0; i < 500; ++i) journal->Append(One(std::string(2500, 'y')));
    });
    std::size_t got = 0;
    std::uint64_t next = 1;
    EXPECT_TRUE(Eventually([&] {
        const auto entries = journal->Take(11, 64 * kKiB);
        for (const Journal::Entry& entry : entries) EXPECT_EQ(entry.sequence, next++);
        got += entries.size();
        journal->Acknowledge(entries);
        return got == 700;
    }));
    writer.join();
    EXPECT_EQ(journal->status().corrupt, 0u);
    EXPECT_EQ(journal->status().pending_records, 0u);
}

}  // namespace
}  // namespace aim::ledger
