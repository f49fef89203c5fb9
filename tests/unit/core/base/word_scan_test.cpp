#include "core/base/word_scan.hpp"

#include <cstring>
#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace aim {
namespace {

std::uint64_t Colons(std::uint64_t bytes) { return word::Equal(bytes, ':'); }
std::uint64_t Controls(std::uint64_t bytes) { return word::Below(bytes, ' '); }

TEST(WordScan, FindsTheOneByteWhereverItStands) {
    for (std::size_t size = 1; size < 50; ++size) {
        for (std::size_t at = 0; at < size; ++at) {
            std::string text(size, 'x');
            EXPECT_FALSE(AnyByte(text, Colons));
            text[at] = ':';
            EXPECT_TRUE(AnyByte(text, Colons)) << at << " of " << size;
        }
    }
}

TEST(WordScan, NothingIsInAnEmptyText) {
    EXPECT_FALSE(AnyByte({}, Colons));
    EXPECT_FALSE(AnyByte({}, Controls));
}

// One byte alone, and among others: the rest of a word must add nothing.
TEST(WordScan, TellsEveryByteFromEveryOther) {
    for (int c = 0; c < 256; ++c) {
        for (std::size_t size = 1; size < 20; ++size) {
            const std::string text(size, static_cast<char>(c));
            EXPECT_EQ(AnyByte(text, Colons), c == ':') << c;
            EXPECT_EQ(AnyByte(text, Controls), c < ' ') << c;
            EXPECT_EQ(AnyByte(text, [](std::uint64_t bytes) { return word::Equal(bytes, 0x7f); }),
                      c == 0x7f)
                << c;
        }
    }
}

// It reads nothing before or behind: the sanitizers would say so.
TEST(WordScan, StaysWithinTheText) {
    for (std::size_t size = 1; size < 20; ++size) {
        const std::unique_ptr<char[]> exact(new char[size]);
        std::memset(exact.get(), 'x', size);
        EXPECT_FALSE(AnyByte({exact.get(), size}, Colons));
    }
}

}  // namespace
}  // namespace aim
