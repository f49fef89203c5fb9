#include "core/http/asio/input_buffer.hpp"

#include <string>

#include <gtest/gtest.h>

namespace aim::http {
namespace {

void Put(InputBuffer& buffer, std::string_view bytes) {
    while (!bytes.empty()) {
        const std::span<char> space = buffer.Space(1);
        ASSERT_FALSE(space.empty());
        const std::size_t size = std::min(space.size(), bytes.size());
        std::copy_n(bytes.begin(), size, space.begin());
        buffer.Received(size);
        bytes.remove_prefix(size);
    }
}

TEST(InputBuffer, GrowsToItsLimitAndKeepsTheBytes) {
    InputBuffer buffer(10'000);
    std::string all;
    for (int i = 0; all.size() < 10'000; ++i) all += std::to_string(i) + ",";
    all.resize(10'000);
    Put(buffer, all);
    EXPECT_EQ(buffer.data(), all);
    EXPECT_TRUE(buffer.Space(1).empty());
    buffer.Keep(buffer.data().substr(9'000));
    EXPECT_FALSE(buffer.Space(1).empty());
    EXPECT_EQ(buffer.data(), std::string_view(all).substr(9'000));
}

TEST(InputBuffer, StartsSmallAndGivesBack) {
    InputBuffer buffer(InputBuffer::kLarge);
    EXPECT_EQ(buffer.Space(1).size(), InputBuffer::kSmall);
    EXPECT_EQ(buffer.Space(InputBuffer::kLarge).size(), InputBuffer::kLarge);
    Put(buffer, "x");
    buffer.Rest(true);
    EXPECT_EQ(buffer.data(), "x") << "not while something is in it";
    buffer.Keep({});
    buffer.Rest(false);
    EXPECT_EQ(buffer.Space(1).size(), InputBuffer::kLarge) << "the rest of a body is awaited";
    buffer.Rest(true);
    EXPECT_EQ(buffer.Space(1).size(), InputBuffer::kSmall);
}

TEST(InputBuffer, RestsWithoutABuffer) {
    InputBuffer resting(InputBuffer::kLarge);
    const char* const block = resting.Space(1).data();
    Put(resting, "abc");
    EXPECT_EQ(resting.data(), "abc");
    resting.Keep({});
    resting.Rest(false);
    EXPECT_TRUE(resting.data().empty());
    InputBuffer another(InputBuffer::kLarge);
    EXPECT_EQ(another.Space(1).data(), block) << "the next reader has it";
    Put(another, "def");
    Put(resting, "ghi");
    EXPECT_EQ(another.data(), "def");
    EXPECT_EQ(resting.data(), "ghi");
}

TEST(InputBuffer, IsFullAtItsLimit) {
    InputBuffer buffer(InputBuffer::kSmall);
    EXPECT_FALSE(buffer.full());
    Put(buffer, std::string(InputBuffer::kSmall, 'x'));
    EXPECT_TRUE(buffer.full());
    buffer.Keep(buffer.data().substr(1));
    EXPECT_FALSE(buffer.full());
    EXPECT_EQ(buffer.Space(1).size(), 1U);
}

TEST(InputBuffer, SlidesInsteadOfGrowing) {
    InputBuffer buffer(InputBuffer::kSmall);
    for (int i = 0; i < 10'000; ++i) {
        Put(buffer, "abcdefg");
        buffer.Keep(buffer.data().substr(buffer.data().size() - 3));
        ASSERT_EQ(buffer.data(), "efg");
        buffer.Keep(buffer.data().substr(1));
    }
}

}  // namespace
}  // namespace aim::http
