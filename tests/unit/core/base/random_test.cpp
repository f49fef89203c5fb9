#include "core/base/random.hpp"

#include <bit>

#include <gtest/gtest.h>

namespace aim {
namespace {

TEST(Random, TheSameSeedGivesTheSameNumbers) {
    const auto a = MakeSeededRandom(42);
    const auto b = MakeSeededRandom(42);
    const auto other = MakeSeededRandom(43);
    int different = 0;
    for (int i = 0; i < 100; ++i) {
        const std::uint64_t number = a->Next();
        EXPECT_EQ(number, b->Next());
        different += number != other->Next() ? 1 : 0;
    }
    EXPECT_EQ(different, 100);
}

TEST(Random, FollowsThePublishedSequence) {
    // SplitMix64 with state 0, as its authors' reference program prints it.
    const auto random = MakeSeededRandom(0);
    EXPECT_EQ(random->Next(), 0xe220a8397b1dcdafULL);
    EXPECT_EQ(random->Next(), 0x6e789e6aa1b965f4ULL);
}

TEST(Random, UsesAllBits) {
    const auto random = MakeRandom();
    std::uint64_t ones = 0;
    std::uint64_t zeros = 0;
    for (int i = 0; i < 200; ++i) {
        const std::uint64_t number = random->Next();
        ones |= number;
        zeros |= ~number;
    }
    EXPECT_EQ(std::popcount(ones), 64);
    EXPECT_EQ(std::popcount(zeros), 64);
}

}  // namespace
}  // namespace aim
