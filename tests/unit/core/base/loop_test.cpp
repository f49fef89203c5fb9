#include "core/base/loop.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <memory>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/blocking_pool.hpp"
#include "core/base/clock.hpp"

namespace aim {
namespace {

Task<> Ask(BlockingPool& pool, std::function<void()> action, std::promise<bool>& ran,
           std::thread::id& resumed_on) {
    const bool done = co_await pool.Run(std::move(action));
    resumed_on = std::this_thread::get_id();
    ran.set_value(done);
}

// The slice of the calling thread in nanoseconds, as sched_getattr(2) has it at its 24th byte; with
// `wanted`, set first.
std::uint64_t SliceOfThisThread(std::uint64_t wanted = 0) {
    std::array<std::uint64_t, 6> attributes{};
    EXPECT_EQ(::syscall(SYS_sched_getattr, 0, attributes.data(), sizeof attributes, 0), 0);
    if (wanted == 0) return attributes[3];
    attributes[3] = wanted;
    EXPECT_EQ(::syscall(SYS_sched_setattr, 0, attributes.data(), 0), 0);
    return SliceOfThisThread();
}

TEST(EngineLoops, AThreadAsksForTheSliceOfItsLoops) {
    std::uint64_t granted = 0;
    std::thread([&] { granted = SliceOfThisThread(700'000); }).join();
    const std::uint64_t usual = SliceOfThisThread();
    // A kernel without slices takes the wish and changes nothing.
    const std::uint64_t expected = granted == 700'000 ? 300'000 : usual;
    std::uint64_t slice = 0;
    EngineLoops prompts(1, std::chrono::microseconds(300));
    prompts.Start();
    prompts[0].Run([&] { slice = SliceOfThisThread(); });
    EXPECT_EQ(slice, expected);
    EngineLoops others(1);
    others.Start();
    others[0].Run([&] { slice = SliceOfThisThread(); });
    EXPECT_EQ(slice, usual);
}

TEST(EngineLoops, EachLoopHasAThreadOfItsOwn) {
    EngineLoops loops(2);
    ASSERT_EQ(loops.size(), 2U);
    EXPECT_FALSE(loops[0].running());
    loops.Start();
    std::thread::id first;
    std::thread::id second;
    loops[0].Run([&] { first = std::this_thread::get_id(); });
    loops[1].Run([&] { second = std::this_thread::get_id(); });
    EXPECT_NE(first, second);
    EXPECT_NE(first, std::this_thread::get_id());
    loops.Stop();
    loops.Stop();
    EXPECT_FALSE(loops[0].running());
}

TEST(EngineLoops, ByDefaultThereIsOneForEachCoreThatMayBeUsed) {
    std::thread([] {
        cpu_set_t all;
        ASSERT_EQ(::sched_getaffinity(0, sizeof all, &all), 0);
        EXPECT_EQ(EngineLoops().size(), static_cast<std::size_t>(CPU_COUNT(&all)));
        std::size_t first = 0;
        while (!CPU_ISSET(first, &all)) ++first;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(first, &one);
        ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
        EXPECT_EQ(EngineLoops().size(), 1U);
    }).join();
}

TEST(EngineLoops, PostedActionsRunInOrder) {
    EngineLoops loops(1);
    loops.Start();
    std::vector<int> order;
    for (int i = 0; i < 100; ++i) loops[0].Post([&order, i] { order.push_back(i); });
    loops[0].Run([] {});
    ASSERT_EQ(order.size(), 100U);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(EngineLoops, RunTakesTheCallersThreadWhenTheLoopDoesNotRun) {
    EngineLoops loops(1);
    std::thread::id where;
    loops[0].Run([&] { where = std::this_thread::get_id(); });
    EXPECT_EQ(where, std::this_thread::get_id());
}

TEST(EngineLoops, WhatStillWaitsIsDestroyedWithTheLoop) {
    const auto held = std::make_shared<int>(0);
    {
        EngineLoops loops(1);
        loops.Start();
        const auto wait = [](TimerQueue& timers, std::shared_ptr<int> copy) -> Task<> {
            co_await timers.Sleep(std::chrono::hours(1));
            *copy = 1;
        };
        boost::asio::co_spawn(loops[0].executor(), wait(loops[0].timers(), held),
                              boost::asio::detached);
        loops[0].Run([] {});
        EXPECT_GT(held.use_count(), 1);
    }
    EXPECT_EQ(held.use_count(), 1);
    EXPECT_EQ(*held, 0);
}

TEST(BlockingPool, RunsElsewhereAndResumesOnTheLoop) {
    BlockingPool pool;
    EngineLoops loops(1);
    loops.Start();
    std::thread::id loop_thread;
    loops[0].Run([&] { loop_thread = std::this_thread::get_id(); });
    std::thread::id worked_on;
    std::thread::id resumed_on;
    std::promise<bool> ran;
    boost::asio::co_spawn(
        loops[0].executor(),
        Ask(
            pool, [&] { worked_on = std::this_thread::get_id(); }, ran, resumed_on),
        boost::asio::detached);
    EXPECT_TRUE(ran.get_future().get());
    EXPECT_NE(worked_on, loop_thread);
    EXPECT_EQ(resumed_on, loop_thread);
    EXPECT_EQ(pool.waiting(), 0);
}

TEST(BlockingPool, RefusesMoreThanItsQueueHolds) {
    BlockingPool pool;
    EngineLoops loops(1);
    loops.Start();
    std::promise<void> gate;
    const std::shared_future<void> opened = gate.get_future().share();
    std::atomic<int> ran{0};
    std::vector<std::promise<bool>> answers(BlockingPool::kQueued + 1);
    std::vector<std::thread::id> threads(answers.size());
    for (std::size_t i = 0; i < answers.size(); ++i) {
        const std::function<void()> action = [&ran, opened] {
            opened.wait();
            ++ran;
        };
        boost::asio::co_spawn(loops[0].executor(), Ask(pool, action, answers[i], threads[i]),
                              boost::asio::detached);
    }
    EXPECT_FALSE(answers.back().get_future().get());
    EXPECT_EQ(pool.waiting(), BlockingPool::kQueued);
    gate.set_value();
    for (std::size_t i = 0; i + 1 < answers.size(); ++i) EXPECT_TRUE(answers[i].get_future().get());
    EXPECT_EQ(ran.load(), BlockingPool::kQueued);
}

TEST(SystemClock, MonotonicTimeNeverGoesBackAndWallTimeIsUtc) {
    const Clock& clock = SystemClock();
    const MonotonicTime first = clock.Now();
    EXPECT_LE(first, clock.Now());
    const auto difference = clock.WallNow() - std::chrono::system_clock::now();
    EXPECT_LT(std::chrono::abs(difference), std::chrono::minutes(1));
}

}  // namespace
}  // namespace aim
