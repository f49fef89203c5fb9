#include "core/base/bounded_queue.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace aim {
namespace {

using namespace std::chrono_literals;

TEST(BoundedQueue, RefusesWhenFullAndLeavesTheItemAlone) {
    BoundedQueue<std::unique_ptr<int>> queue(1);
    ASSERT_TRUE(queue.TryPush(std::make_unique<int>(1)));
    auto second = std::make_unique<int>(2);
    EXPECT_FALSE(queue.TryPush(std::move(second)));
    ASSERT_NE(second, nullptr);
    EXPECT_EQ(*second, 2);
    EXPECT_EQ(queue.size(), 1u);
}

TEST(BoundedQueue, TakesInOrderAndAtMostWhatIsAsked) {
    BoundedQueue<int> queue(8);
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(queue.TryPush(int{i}));
    EXPECT_EQ(queue.PopSome(3, 0ms), (std::vector<int>{0, 1, 2}));
    EXPECT_EQ(queue.PopSome(3, 0ms), (std::vector<int>{3, 4}));
    EXPECT_TRUE(queue.PopSome(3, 0ms).empty());
}

TEST(BoundedQueue, ClosedQueueTakesNothingMoreButGivesWhatItHas) {
    BoundedQueue<int> queue(8);
    ASSERT_TRUE(queue.TryPush(7));
    queue.Close();
    EXPECT_FALSE(queue.TryPush(8));
    EXPECT_EQ(queue.PopSome(8, 1h), std::vector<int>{7});
    EXPECT_TRUE(queue.PopSome(8, 1h).empty());  // returns at once: nothing can come any more
}

TEST(BoundedQueue, CloseWakesAWaitingReader) {
    BoundedQueue<int> queue(8);
    std::thread reader([&queue] { EXPECT_TRUE(queue.PopSome(8, 1h).empty()); });
    queue.Close();
    reader.join();
}

TEST(BoundedQueue, LosesAndRepeatsNothingBetweenThreads) {
    constexpr int kWriters = 4;
    constexpr int kPerWriter = 2000;
    BoundedQueue<int> queue(16);
    std::vector<std::atomic<int>> seen(kWriters * kPerWriter);
    std::vector<std::thread> readers;
    for (int r = 0; r < 2; ++r) {
        readers.emplace_back([&] {
            for (;;) {
                const std::vector<int> some = queue.PopSome(7, 1h);
                if (some.empty()) return;
                for (const int item : some) seen[static_cast<std::size_t>(item)].fetch_add(1);
            }
        });
    }
    std::vector<std::thread> writers;
    for (int w = 0; w < kWriters; ++w) {
        writers.emplace_back([&queue, w] {
            for (int i = 0; i < kPerWriter; ++i) {
                while (!queue.TryPush(w * kPerWriter + i)) std::this_thread::yield();
                ASSERT_LE(queue.size(), queue.limit());
            }
        });
    }
    for (std::thread& writer : writers) writer.join();
    queue.Close();
    for (std::thread& reader : readers) reader.join();
    for (const std::atomic<int>& count : seen) EXPECT_EQ(count.load(), 1);
}

}  // namespace
}  // namespace aim
