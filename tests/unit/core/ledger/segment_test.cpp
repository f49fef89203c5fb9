#include "core/ledger/segment.hpp"

#include <array>
#include <cstring>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "core/ledger/segment_format.hpp"
#include "tests/unit/core/ledger/ledger_test_support.hpp"

namespace aim::ledger {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSpace = 64 * 1024;

class SegmentTest : public ::testing::Test {
  protected:
    std::shared_ptr<Segment> Made(std::uint64_t number = 7) {
        auto made = Segment::Create(folder_.path(), number, kSpace);
        EXPECT_TRUE(made) << made.error().message;
        return made ? *made : nullptr;
    }

    static void Write(Segment& segment, const std::string& bytes) {
        char* room = segment.Room(bytes.size());
        ASSERT_NE(room, nullptr);
        std::memcpy(room, bytes.data(), bytes.size());
        segment.Advance(bytes.size());
    }

    // At most `most` bytes from `offset` on.
    static std::string Text(const Segment& segment, std::size_t offset, std::size_t most) {
        std::string room(most, '?');
        const auto got = segment.Read(offset, room);
        EXPECT_TRUE(got) << got.error().message;
        return room.substr(0, got ? *got : 0);
    }

    const ScratchFolder folder_;
};

TEST_F(SegmentTest, ItsFileTellsItsNumber) {
    const auto segment = Made(7);
    EXPECT_EQ(segment->number(), 7u);
    EXPECT_EQ(Segment::NumberOf(segment->path()), 7u);
    EXPECT_EQ(fs::file_size(segment->path()), kSpace);
    for (const char* other : {"segment-.journal", "segment-12", "segment-1x.journal", "lock", ""})
        EXPECT_EQ(Segment::NumberOf(folder_.path() / other), std::nullopt) << other;
    EXPECT_FALSE(Segment::Create(folder_.path(), 7, kSpace));
}

long FaultsOfThisThread() {
    rusage usage{};
    EXPECT_EQ(::getrusage(RUSAGE_THREAD, &usage), 0);
    return usage.ru_minflt;
}

// Of a page's own faults none can be told from those of what ThreadSanitizer keeps beside it, four
// pages each.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define AIM_FAULTS_ARE_THE_SANITIZERS 1
#endif
#endif

bool KernelPopulates() {
    constexpr std::size_t kPage = 4096;
    void* const page =
        ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    constexpr int kPopulateWrite = 23;  // MADV_POPULATE_WRITE, Linux 5.14
    const bool populates = ::madvise(page, kPage, kPopulateWrite) == 0;
    ::munmap(page, kPage);
    return populates;
}

TEST_F(SegmentTest, WritersWaitForNoPageThatIsMadeReady) {
#ifdef AIM_FAULTS_ARE_THE_SANITIZERS
    GTEST_SKIP() << "ThreadSanitizer's own page faults cannot be told apart";
#endif
    if (!KernelPopulates()) GTEST_SKIP() << "the kernel makes no pages ready on request";
    constexpr std::size_t kLarge = std::size_t{4} << 20;
    const auto segment = *Segment::Create(folder_.path(), 7, kLarge);
    const std::string record(1000, 'r');
    long faults = 0;
    while (char* room = segment->Room(record.size())) {
        const long before = FaultsOfThisThread();
        std::memcpy(room, record.data(), record.size());
        faults += FaultsOfThisThread() - before;
        if (segment->Advance(record.size())) segment->PopulateAhead();
    }
    // One a page without; a sanitizer's own memory may cost some.
    EXPECT_LT(faults, static_cast<long>(kLarge / 4096 / 2));
}

TEST_F(SegmentTest, ReadsWhatIsWrittenFromAnyPlace) {
    const auto segment = Made();
    const std::size_t begin = segment->end();
    EXPECT_EQ(begin, format::kHeaderBytes);
    Write(*segment, "0123456789");
    EXPECT_EQ(segment->end(), begin + 10);
    EXPECT_EQ(Text(*segment, begin, 10), "0123456789");
    EXPECT_EQ(Text(*segment, begin + 4, 3), "456");
    EXPECT_EQ(Text(*segment, begin + 4, 100), "456789");
    EXPECT_EQ(Text(*segment, begin + 4, 0), "");
    EXPECT_EQ(Text(*segment, begin + 10, 100), "");
    EXPECT_EQ(Text(*segment, begin + 11, 100), "");
    EXPECT_EQ(Text(*segment, ~std::size_t{0}, 100), "");
    Write(*segment, "abc");
    EXPECT_EQ(Text(*segment, begin + 9, 100), "9abc");
}

TEST_F(SegmentTest, TheRoomEndsWithItsSpace) {
    const auto segment = Made();
    const std::size_t left = segment->capacity() - segment->end();
    EXPECT_EQ(segment->Room(left + 1), nullptr);
    Write(*segment, std::string(left, 'x'));
    EXPECT_EQ(segment->Room(1), nullptr);
    EXPECT_EQ(Text(*segment, segment->end() - 2, 100), "xx");
}

TEST_F(SegmentTest, ClosedItIsAsLongAsWhatIsInIt) {
    const auto segment = Made();
    Write(*segment, "kept");
    ASSERT_TRUE(segment->Sync());
    segment->CloseForWriting();
    EXPECT_EQ(segment->Room(1), nullptr);
    EXPECT_EQ(fs::file_size(segment->path()), segment->end());
    EXPECT_EQ(Text(*segment, format::kHeaderBytes, 100), "kept");
}

// By whoever: what is left is read, and no signal comes.
TEST_F(SegmentTest, ACutFileGivesWhatItHas) {
    const auto segment = Made();
    Write(*segment, "0123456789");
    segment->CloseForWriting();
    fs::resize_file(segment->path(), format::kHeaderBytes + 4);
    EXPECT_EQ(Text(*segment, format::kHeaderBytes, 10), "0123");
    EXPECT_EQ(Text(*segment, format::kHeaderBytes + 4, 10), "");
}

TEST_F(SegmentTest, AnotherProcessTakesItOverUpToItsEnd) {
    fs::path file;
    {
        const auto segment = Made();
        Write(*segment, "whole torn");
        file = segment->path();
    }
    const auto adopted = Segment::Adopt(file, 7, format::kHeaderBytes + 5);
    ASSERT_TRUE(adopted);
    EXPECT_EQ(Text(**adopted, format::kHeaderBytes, 100), "whole");
    EXPECT_EQ((*adopted)->Room(1), nullptr);
    EXPECT_EQ(fs::file_size(file), format::kHeaderBytes + 5);
    // Whoever reads it goes on when it is gone.
    (*adopted)->Remove();
    EXPECT_FALSE(fs::exists(file));
    EXPECT_EQ(Text(**adopted, format::kHeaderBytes, 100), "whole");
    EXPECT_FALSE(Segment::Adopt(file, 7, 0));
}

}  // namespace
}  // namespace aim::ledger
