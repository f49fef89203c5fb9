#include "core/http/client/byte_buffer.hpp"

#include <string>

#include <gtest/gtest.h>

namespace aim::http::client {
namespace {

void Put(ByteBuffer& buffer, std::string_view bytes) {
    while (!bytes.empty()) {
        const std::span<char> space = buffer.Space();
        ASSERT_FALSE(space.empty());
        const std::size_t size = std::min(space.size(), bytes.size());
        std::copy_n(bytes.begin(), size, space.begin());
        buffer.Commit(size);
        bytes.remove_prefix(size);
    }
}

TEST(ByteBuffer, GivesBackInTheOrderOfComing) {
    ByteBuffer buffer;
    std::string all;
    for (int i = 0; all.size() < 300'000; ++i) all += std::to_string(i) + ",";
    Put(buffer, all);
    EXPECT_EQ(buffer.view(), all);
    buffer.Consume(100'000);
    Put(buffer, "end");
    EXPECT_EQ(buffer.view(), all.substr(100'000) + "end");
    buffer.Consume(buffer.size());
    EXPECT_TRUE(buffer.empty());
}

TEST(ByteBuffer, GrowsWhenReadsFillItUpToTheLargestRead) {
    ByteBuffer buffer;
    EXPECT_EQ(buffer.Space().size(), ByteBuffer::kFirstSize);
    for (int i = 0; i < 5; ++i) {
        const std::size_t size = buffer.Space().size();
        buffer.Commit(size);
        buffer.Consume(size);
        buffer.Rest();  // much comes: it keeps what it has
    }
    EXPECT_EQ(buffer.Space().size(), ByteBuffer::kLargestRead);
}

TEST(ByteBuffer, RestsWithoutABuffer) {
    ByteBuffer resting;
    const char* const block = resting.Space().data();
    Put(resting, "abc");
    resting.Rest();
    EXPECT_EQ(resting.view(), "abc") << "not while something is in it";
    resting.Consume(2);
    resting.Rest();
    EXPECT_EQ(resting.view(), "c");
    resting.Consume(1);
    resting.Rest();
    EXPECT_EQ(resting.capacity(), 0U);
    ByteBuffer another;
    EXPECT_EQ(another.Space().data(), block) << "the next reader has it";
    Put(another, "def");
    Put(resting, "ghi");
    EXPECT_EQ(another.view(), "def");
    EXPECT_EQ(resting.view(), "ghi");
}

}  // namespace
}  // namespace aim::http::client
