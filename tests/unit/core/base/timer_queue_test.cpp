#include "core/base/timer_queue.hpp"

#include <algorithm>
#include <memory>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "core/base/random.hpp"

namespace aim {
namespace {

using namespace std::chrono_literals;
using Timer = TimerQueue::Timer;

MonotonicTime Past(std::chrono::milliseconds ago) { return std::chrono::steady_clock::now() - ago; }

TEST(TimerQueue, FiresInOrderOfDeadlineWhateverTheOrderOfArming) {
    boost::asio::io_context loop;
    TimerQueue queue(loop);
    const auto random = MakeSeededRandom(7);
    const MonotonicTime start = Past(10s);
    std::vector<std::int64_t> fired;
    std::vector<std::unique_ptr<Timer>> timers;
    for (int i = 0; i < 5000; ++i) {
        const auto delay = static_cast<std::int64_t>(random->Next() % 10000000);
        timers.push_back(
            std::make_unique<Timer>(queue, [&fired, delay] { fired.push_back(delay); }));
        timers.back()->ArmAt(start + std::chrono::microseconds(delay));
    }
    EXPECT_EQ(queue.size(), 5000u);
    EXPECT_TRUE(fired.empty());  // never from within arming
    loop.run();
    EXPECT_EQ(fired.size(), 5000u);
    EXPECT_TRUE(std::is_sorted(fired.begin(), fired.end()));
    EXPECT_EQ(queue.size(), 0u);
}

TEST(TimerQueue, DisarmedMovedAndDestroyedTimersDoAsTold) {
    boost::asio::io_context loop;
    TimerQueue queue(loop);
    const auto random = MakeSeededRandom(11);
    std::vector<int> fired(1000, 0);
    std::vector<int> expected(1000, 0);
    std::vector<std::unique_ptr<Timer>> timers;
    for (std::size_t i = 0; i < fired.size(); ++i) {
        timers.push_back(std::make_unique<Timer>(queue, [&fired, i] { ++fired[i]; }));
        timers[i]->ArmAt(Past(std::chrono::milliseconds(random->Next() % 1000)));
        expected[i] = 1;
    }
    for (std::size_t i = 0; i < fired.size(); ++i) {
        switch (random->Next() % 4) {
            case 0:
                timers[i]->Disarm();
                EXPECT_FALSE(timers[i]->armed());
                expected[i] = 0;
                break;
            case 1:
                timers[i].reset();
                expected[i] = 0;
                break;
            case 2:
                timers[i]->ArmAt(Past(std::chrono::milliseconds(random->Next() % 1000)));
                break;
            default:
                break;
        }
    }
    loop.run();
    EXPECT_EQ(fired, expected);
}

TEST(TimerQueue, ACallbackMayDestroyOthersAndArmAgain) {
    boost::asio::io_context loop;
    TimerQueue queue(loop);
    bool victim_fired = false;
    auto victim = std::make_unique<Timer>(queue, [&] { victim_fired = true; });
    int rounds = 0;
    std::unique_ptr<Timer> again;
    again = std::make_unique<Timer>(queue, [&] {
        if (++rounds < 3) again->ArmAt(Past(1ms));
    });
    Timer killer(queue, [&] { victim.reset(); });
    killer.ArmAt(Past(3s));
    victim->ArmAt(Past(2s));
    again->ArmAt(Past(1s));
    loop.run();
    EXPECT_FALSE(victim_fired);
    EXPECT_EQ(rounds, 3);
}

TEST(TimerQueue, AnEarlierDeadlineShortensTheWait) {
    boost::asio::io_context loop;
    TimerQueue queue(loop);
    bool late_fired = false;
    Timer late(queue, [&] { late_fired = true; });
    Timer soon(queue, [&] { loop.stop(); });
    late.ArmAfter(1h);
    soon.ArmAfter(1ms);
    loop.run();
    EXPECT_FALSE(late_fired);
    EXPECT_TRUE(late.armed());
    EXPECT_FALSE(soon.armed());
}

TEST(TimerQueue, StopLetsTheLoopEnd) {
    boost::asio::io_context loop;
    TimerQueue queue(loop);
    bool fired = false;
    Timer timer(queue, [&] { fired = true; });
    timer.ArmAfter(1h);
    queue.Stop();
    loop.run();  // would last an hour
    EXPECT_FALSE(fired);
}

Task<> SleepTwice(TimerQueue& queue, int& steps) {
    co_await queue.Sleep(1ms);
    ++steps;
    co_await queue.Sleep(1ms);
    ++steps;
}

TEST(TimerQueue, SleepSuspendsACoroutine) {
    boost::asio::io_context loop;
    TimerQueue queue(loop);
    int steps = 0;
    boost::asio::co_spawn(loop.get_executor(), SleepTwice(queue, steps), boost::asio::detached);
    EXPECT_EQ(steps, 0);
    loop.run();
    EXPECT_EQ(steps, 2);
}

}  // namespace
}  // namespace aim
