#include "core/ledger/journal.hpp"

#include <cstring>

#include <gtest/gtest.h>

#include "core/ledger/crc32c.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/unit/core/ledger/ledger_test_support.hpp"

namespace aim::ledger {
namespace {

namespace fs = std::filesystem;
using Texts = std::vector<std::string>;

class JournalTest : public ::testing::Test {
  protected:
    JournalTest() {
        options_.folder = folder_.path() / "ledger";
        options_.segment_bytes = 64 * 1024;
        options_.fsync_interval = std::chrono::milliseconds(20);
        options_.lock_wait = std::chrono::milliseconds(0);
    }
    std::unique_ptr<Journal> Opened() {
        auto journal = std::make_unique<Journal>(options_, log_);
        const auto opened = journal->Open();
        EXPECT_TRUE(opened) << opened.error().message;
        return journal;
    }
    // A journal with these records that an earlier process has left.
    void Leave(const Texts& texts) {
        const auto journal = Opened();
        for (const std::string& text : texts) journal->Append(One(text));
    }

    const ScratchFolder folder_;
    JournalOptions options_;
    testing::LogCapture log_;
};

TEST_F(JournalTest, GivesTheOldestFirstWithinBothLimits) {
    const auto journal = Opened();
    for (const char* json : {"11", "22", "33", "44"}) journal->Append(One(json));
    auto taken = journal->Take(2, 1000);
    ASSERT_EQ(taken.size(), 2u);
    EXPECT_EQ(taken[0].record.json, "11");
    taken = journal->Take(10, 3);
    ASSERT_EQ(taken.size(), 1u);
    EXPECT_EQ(taken[0].record.json, "33");
    EXPECT_TRUE(journal->has_unread());
    EXPECT_EQ(TakeAll(*journal), Texts{"44"});
    EXPECT_FALSE(journal->has_unread());
}

TEST_F(JournalTest, WhatWasNotAcknowledgedIsThereAfterARestart) {
    Texts expected;
    {
        const auto journal = Opened();
        for (int i = 0; i < 10; ++i) journal->Append(One(std::to_string(i)));
        journal->Acknowledge(journal->Take(4, 1000));
        journal->Take(3, 1000);  // sent, but never answered
        for (int i = 4; i < 10; ++i) expected.push_back(std::to_string(i));
    }
    {
        const auto journal = Opened();
        EXPECT_EQ(journal->status().pending_records, 6u);
        EXPECT_EQ(journal->status().replayed, 6u);
        journal->Append(One("new"));
        expected.emplace_back("new");
        const auto entries = journal->Take(100, 1000);
        ASSERT_EQ(entries.size(), 7u);
        for (std::size_t i = 0; i < 7; ++i) {
            EXPECT_EQ(entries[i].record.json, expected[i]);
            EXPECT_EQ(entries[i].replayed, i < 6);
        }
        journal->Acknowledge(entries);
    }
    const auto journal = Opened();
    EXPECT_EQ(journal->status().pending_records, 0u);
    EXPECT_TRUE(TakeAll(*journal).empty());
}

// The files as they are while the process lives: what kill -9 leaves.
TEST_F(JournalTest, NothingThatWasAppendedNeedsAnOrderlyEnd) {
    const auto journal = Opened();
    Texts expected;
    Journal::Ticket newest = 0;
    for (int i = 0; i < 300; ++i) {
        expected.push_back(std::to_string(i) + std::string(1000, 'x'));
        newest = journal->Append(One(expected.back()));
    }
    // Until then an answer would wait: so many at once want another segment.
    EXPECT_TRUE(Eventually([&] { return !journal->NeedsWait(newest); }));
    const fs::path copy = folder_.path() / "copy";
    fs::copy(options_.folder, copy);
    options_.folder = copy;
    EXPECT_EQ(TakeAll(*Opened()), expected);
}

TEST_F(JournalTest, FullSegmentsAreLeftAndDeliveredOnesDeleted) {
    const auto journal = Opened();
    Texts expected;
    for (int i = 0; i < 1000; ++i) {
        expected.push_back(std::to_string(i) + std::string(500, 'x'));
        journal->Append(One(expected.back()));
    }
    EXPECT_GT(journal->status().segments + journal->status().memory_records / 100, 8u);
    Texts got;
    for (;;) {
        const auto entries = journal->Take(70, 1u << 20);
        if (entries.empty()) break;
        for (const auto& entry : entries) got.push_back(entry.record.json);
        journal->Acknowledge(entries);
    }
    EXPECT_EQ(got, expected);
    EXPECT_TRUE(Eventually([&] { return SegmentFiles(options_.folder).size() <= 2; }));
    EXPECT_EQ(journal->status().pending_bytes, 0u);
    EXPECT_EQ(journal->status().corrupt, 0u);
}

TEST_F(JournalTest, SaysWhenItIsFullAndStillTakesWhatWasAnswered) {
    options_.max_bytes = 1000;
    const auto journal = Opened();
    EXPECT_FALSE(journal->full());
    journal->Append(One(std::string(1000, 'x')));
    EXPECT_TRUE(journal->full());
    EXPECT_TRUE(journal->status().full);
    journal->Append(One("late"));
    const auto entries = journal->Take(10, 10000);
    EXPECT_EQ(entries.size(), 2u);
    EXPECT_TRUE(journal->full());
    journal->Acknowledge(entries);
    EXPECT_FALSE(journal->full());
}

TEST_F(JournalTest, ABacklogOfAnEarlierProcessCountsForTheBound) {
    Leave({std::string(1000, 'x')});
    options_.max_bytes = 1000;
    EXPECT_TRUE(Opened()->full());
}

TEST_F(JournalTest, WakesItsReaderOnceNothingWasUnread) {
    Leave({"old"});
    Journal journal(options_, log_);
    int woken = 0;
    journal.OnReady([&] { ++woken; });
    ASSERT_TRUE(journal.Open());
    EXPECT_EQ(woken, 1);  // for what was left
    TakeAll(journal);
    journal.Append(One("1"));
    journal.Append(One("2"));
    EXPECT_EQ(woken, 2);
    TakeAll(journal);
    journal.Append(One("3"));
    EXPECT_EQ(woken, 3);
}

// A write that ended at any byte of the newest record, with zeros or garbage behind.
TEST_F(JournalTest, ATornTailIsCutAtTheLastWholeRecord) {
    Leave({R"({"n":1})", R"({"n":2})", R"({"n":3333})"});
    const fs::path file = SegmentFiles(options_.folder).at(0);
    const std::string whole = ReadFile(file);
    const std::size_t third = whole.size() - format::FrameBytes(10);
    const std::size_t needed = third + 24 + 56 + 10;
    for (std::size_t cut = third; cut < needed; ++cut) {
        for (const bool garbage : {false, true}) {
            std::string bytes = whole.substr(0, cut);
            // Never what stood there.
            if (garbage) bytes.push_back(static_cast<char>(~whole[cut]));
            bytes.resize(whole.size() + 4096, '\0');
            std::error_code ignored;
            fs::remove_all(options_.folder, ignored);
            fs::create_directories(options_.folder);
            WriteFile(file, bytes);
            const auto journal = Opened();
            const auto status = journal->status();
            ASSERT_EQ(TakeAll(*journal), (Texts{R"({"n":1})", R"({"n":2})"})) << cut << garbage;
            EXPECT_EQ(fs::file_size(file), third);
            EXPECT_EQ(status.torn_tails, cut > third || garbage ? 1u : 0u) << cut;
            EXPECT_EQ(status.corrupt, 0u);
            journal->Append(One("next"));
            EXPECT_EQ(TakeAll(*journal), Texts{"next"});
        }
    }
    EXPECT_GT(log_.Count("ledger_tail_cut"), 0u);
}

TEST_F(JournalTest, DamageInTheMiddleIsSteppedOverAndCounted) {
    Leave({"1", "2", "3", "4", "5"});
    const fs::path file = SegmentFiles(options_.folder).at(0);
    const std::string whole = ReadFile(file);
    const std::size_t frame = format::FrameBytes(1);
    ASSERT_EQ(whole.size(), format::kHeaderBytes + 5 * frame);
    const std::size_t second = format::kHeaderBytes + frame;
    // Overwritten stretches of every length that begin anywhere in the second record.
    for (std::size_t begin = second; begin < second + 24 + 57; begin += 3) {
        for (std::size_t length = 1; begin + length < second + 2 * frame; length += 17) {
            std::string bytes = whole;
            for (std::size_t i = begin; i < begin + length; ++i)
                bytes[i] = static_cast<char>(~bytes[i]);
            const bool third_too = begin + length > second + frame;
            std::error_code ignored;
            fs::remove_all(options_.folder, ignored);
            fs::create_directories(options_.folder);
            WriteFile(file, bytes);
            const auto journal = Opened();
            EXPECT_EQ(journal->status().corrupt, third_too ? 2u : 1u) << begin << " " << length;
            EXPECT_EQ(journal->status().pending_records, third_too ? 3u : 4u);
            ASSERT_EQ(TakeAll(*journal),
                      third_too ? (Texts{"1", "4", "5"}) : (Texts{"1", "3", "4", "5"}))
                << begin << " " << length;
        }
    }
    EXPECT_GT(log_.Count("ledger_damaged"), 0u);
}

TEST_F(JournalTest, DamageThatComesWhileItIsOpenIsSteppedOverToo) {
    const auto journal = Opened();
    for (const char* text : {"1", "2", "3"}) journal->Append(One(text));
    const fs::path file = SegmentFiles(options_.folder).at(0);
    {
        std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
        stream.seekp(
            static_cast<std::streamoff>(format::kHeaderBytes + format::FrameBytes(1) + 30));
        stream << "damage";
    }
    EXPECT_EQ(TakeAll(*journal), (Texts{"1", "3"}));
    EXPECT_EQ(journal->status().corrupt, 1u);
    EXPECT_FALSE(journal->has_unread());
}

TEST_F(JournalTest, ADamagedHeaderCostsNothing) {
    Leave({"1", "2"});
    const fs::path file = SegmentFiles(options_.folder).at(0);
    std::string bytes = ReadFile(file);
    bytes.replace(0, format::kHeaderBytes, std::string(format::kHeaderBytes, 'z'));
    WriteFile(file, bytes);
    EXPECT_EQ(TakeAll(*Opened()), (Texts{"1", "2"}));
}

TEST_F(JournalTest, RubbishInTheFolderNeverKeepsItFromStarting) {
    Leave({"1"});
    const fs::path& folder = options_.folder;
    WriteFile(folder / "segment-0000000000000077.journal", "");
    WriteFile(folder / "segment-0000000000000078.journal", std::string(100'000, '\xff'));
    WriteFile(folder / "segment-.journal", "x");
    WriteFile(folder / "segment-12x.journal", "x");
    WriteFile(folder / "segment-99999999999999999999999.journal", "x");
    WriteFile(folder / "notes.txt", "x");
    WriteFile(folder / "acknowledged", "what is this");
    const auto journal = Opened();
    EXPECT_EQ(TakeAll(*journal), Texts{"1"});
    journal->Append(One("2"));
    EXPECT_EQ(TakeAll(*journal), Texts{"2"});
}

TEST_F(JournalTest, ASegmentOfAnotherVersionIsSetAside) {
    Leave({"1"});
    std::string header = format::EncodeHeader(5);
    header[8] = 2;
    const std::uint32_t crc = Crc32c(std::string_view(header).substr(0, 60));
    std::memcpy(header.data() + 60, &crc, sizeof crc);
    const fs::path file = options_.folder / "segment-0000000000000005.journal";
    WriteFile(file, header + "whatever");
    EXPECT_EQ(TakeAll(*Opened()), Texts{"1"});
    EXPECT_TRUE(fs::exists(file.string() + ".unreadable"));
    EXPECT_EQ(log_.Count("ledger_segment_set_aside"), 1u);
}

TEST_F(JournalTest, ALostAcknowledgementOnlyRepeats) {
    {
        const auto journal = Opened();
        for (const char* text : {"1", "2", "3"}) journal->Append(One(text));
        journal->Acknowledge(journal->Take(2, 1000));
    }
    fs::remove(options_.folder / "acknowledged");
    const auto journal = Opened();
    EXPECT_EQ(TakeAll(*journal), (Texts{"1", "2", "3"}));
    EXPECT_EQ(journal->status().corrupt, 0u);
}

TEST_F(JournalTest, AnAcknowledgementThatWasCutShortLeavesTheOneBefore) {
    const fs::path file = folder_.path() / "acknowledged";
    {
        Acknowledgement acknowledgement;
        ASSERT_TRUE(acknowledgement.Open(file));
        EXPECT_EQ(acknowledgement.sequence(), 0u);
        ASSERT_TRUE(acknowledgement.Write(7));
        ASSERT_TRUE(acknowledgement.Write(9));
    }
    const std::string whole = ReadFile(file);
    for (std::size_t i = 0; i < 28; ++i) {
        std::string damaged = whole;
        damaged[i] = static_cast<char>(~damaged[i]);  // the slot of the second write
        WriteFile(file, damaged);
        Acknowledgement acknowledgement;
        ASSERT_TRUE(acknowledgement.Open(file));
        EXPECT_EQ(acknowledgement.sequence(), 7u) << i;
    }
    WriteFile(file, whole);
    Acknowledgement acknowledgement;
    ASSERT_TRUE(acknowledgement.Open(file));
    EXPECT_EQ(acknowledgement.sequence(), 9u);
}

TEST_F(JournalTest, AFolderBelongsToOneProcess) {
    auto first = Opened();
    Journal second(options_, log_);
    const auto refused = second.Open();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::kForbidden);
    EXPECT_NE(refused.error().message.find("another process"), std::string::npos);
    first.reset();
    EXPECT_TRUE(second.Open());
}

TEST_F(JournalTest, AFolderThatCannotBeUsedLeavesItInMemory) {
    WriteFile(folder_.path() / "file", "");
    options_.folder = folder_.path() / "file" / "ledger";
    const auto journal = Opened();
    EXPECT_TRUE(journal->status().degraded);
    EXPECT_FALSE(journal->NeedsWait(journal->Append(One("1"))));
    EXPECT_EQ(TakeAll(*journal), Texts{"1"});
}

TEST_F(JournalTest, ARecordThatNoSegmentHoldsStaysInMemoryAndInItsPlace) {
    const auto journal = Opened();
    journal->Append(One("before"));
    journal->Append(One(std::string(100'000, 'x')));
    journal->Append(One("after"));
    const auto entries = journal->Take(10, 1u << 20);
    ASSERT_EQ(entries.size(), 3u);
    EXPECT_EQ(entries[1].record.json.size(), 100'000u);
    EXPECT_EQ(entries[2].record.json, "after");
    journal->Acknowledge(entries);
    journal->Append(One("next"));
    EXPECT_EQ(TakeAll(*journal), Texts{"next"});
    EXPECT_EQ(journal->status().memory_records, 0u);
}

TEST_F(JournalTest, WhatWasAppendedBeforeItWasOpenFollows) {
    Leave({"left"});
    Journal journal(options_, log_);
    journal.Append(One("early"));
    ASSERT_TRUE(journal.Open());
    journal.Append(One("late"));
    EXPECT_EQ(journal.status().pending_records, 3u);
    EXPECT_EQ(TakeAll(journal), (Texts{"left", "early", "late"}));
}

TEST_F(JournalTest, TellsTheAgeOfTheOldestRecord) {
    const auto journal = Opened();
    EXPECT_EQ(journal->status().oldest_age.count(), 0);
    journal->Append(One("1"));
    EXPECT_TRUE(Eventually([&] { return journal->status().oldest_age.count() >= 5; }));
    journal->Acknowledge(journal->Take(1, 100));
    EXPECT_EQ(journal->status().oldest_age.count(), 0);
}

}  // namespace
}  // namespace aim::ledger
