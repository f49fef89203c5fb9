#include "core/ledger/record_queue.hpp"

#include <thread>

#include <gtest/gtest.h>

namespace aim::ledger {
namespace {

std::vector<Record> One(std::string json) {
    std::vector<Record> records(1);
    records[0].json = std::move(json);
    return records;
}

TEST(RecordQueue, GivesTheOldestFirstWithinBothLimits) {
    RecordQueue queue(1 << 20);
    for (const char* json : {"11", "22", "33", "44"}) queue.Append(One(json));
    auto taken = queue.Take(2, 1000);
    ASSERT_EQ(taken.size(), 2u);
    EXPECT_EQ(taken[0].json, "11");
    taken = queue.Take(10, 1);
    ASSERT_EQ(taken.size(), 1u);
    EXPECT_EQ(taken[0].json, "33");
    EXPECT_EQ(queue.size(), 1u);
}

TEST(RecordQueue, SaysWhenItIsFullAndStillTakesWhatWasAnswered) {
    RecordQueue queue(200);
    EXPECT_FALSE(queue.full());
    queue.Append(One(std::string(200, 'x')));
    EXPECT_TRUE(queue.full());
    queue.Append(One("late"));
    EXPECT_EQ(queue.size(), 2u);
    queue.Take(2, 1000);
    EXPECT_FALSE(queue.full());
    EXPECT_EQ(queue.bytes(), 0u);
}

TEST(RecordQueue, WakesItsReaderOnceAnEmptyQueueFills) {
    RecordQueue queue(1 << 20);
    int woken = 0;
    queue.OnReady([&] { ++woken; });
    queue.Append(One("1"));
    queue.Append(One("2"));
    EXPECT_EQ(woken, 1);
    queue.Take(2, 100);
    queue.Append(One("3"));
    EXPECT_EQ(woken, 2);
}

TEST(RecordQueue, ManyWritersLoseNothing) {
    RecordQueue queue(1 << 24);
    std::vector<std::thread> writers;
    for (int t = 0; t < 4; ++t) {
        writers.emplace_back([&] {
            for (int i = 0; i < 1000; ++i) queue.Append(One("x"));
        });
    }
    std::size_t seen = 0;
    while (seen < 4000) seen += queue.Take(500, 100000).size();
    for (std::thread& writer : writers) writer.join();
    EXPECT_EQ(seen, 4000u);
    EXPECT_EQ(queue.size(), 0u);
}

}  // namespace
}  // namespace aim::ledger
