#include "core/routing/model_states.hpp"

#include <thread>

#include <gtest/gtest.h>

#include "core/base/random.hpp"

namespace aim::routing {
namespace {

Uuid Id(std::uint64_t n) {
    const auto random = MakeSeededRandom(n);
    return Uuid::MakeV7(WallTime{}, *random);
}

TEST(ChangeLog, GivesEachReaderWhatIsNewToIt) {
    ChangeLog log;
    std::uint64_t cursor = 0;
    std::vector<Uuid> changed;
    log.Add(Id(1));
    log.Add(Id(2));
    EXPECT_TRUE(log.Read(cursor, changed));
    EXPECT_EQ(changed, (std::vector<Uuid>{Id(1), Id(2)}));
    changed.clear();
    EXPECT_TRUE(log.Read(cursor, changed));
    EXPECT_TRUE(changed.empty());
}

TEST(ChangeLog, SaysWhenAReaderIsTooFarBehind) {
    ChangeLog log;
    std::uint64_t cursor = 0;
    std::vector<Uuid> changed;
    for (std::size_t i = 0; i <= ChangeLog::kKept; ++i) log.Add(Id(i));
    EXPECT_FALSE(log.Read(cursor, changed));
    EXPECT_EQ(cursor, log.head());
}

TEST(ModelStates, AnOutcomeChangesTheRatingAtOnce) {
    ModelStates states;
    const Uuid id = Id(1);
    const auto state = states.Get(id);
    EXPECT_EQ(state, states.Get(id));
    const auto rating = states.AddOutcome(id, true, std::chrono::milliseconds(1000));
    // success 100 x 0.6 + speed (100 - 1000/50 = 80) x 0.4
    EXPECT_EQ(rating.reliability_score.value, 9200);
    EXPECT_EQ(state->rating->score().value, 9200);
    EXPECT_EQ(states.changes().head(), 1u);
}

TEST(ModelStates, ForgetsWhatIsGone) {
    ModelStates states;
    const auto first = states.Get(Id(1));
    states.AddOutcome(Id(1), false, std::chrono::milliseconds(1));
    const std::vector<Uuid> kept = {Id(2)};
    states.KeepOnly(kept);
    EXPECT_NE(states.Get(Id(1)), first);
    EXPECT_EQ(states.Rating(Id(1)).reliability_score.value, 10000);
}

TEST(ModelStates, ManyThreadsLoseNoOutcome) {
    ModelStates states;
    const Uuid id = Id(1);
    states.Get(id);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 500; ++i)
                states.AddOutcome(id, i % 2 == 0, std::chrono::microseconds(10));
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(states.Effective(id).total_requests, 2000);
    EXPECT_EQ(states.Effective(id).successful_requests, 1000);
}

}  // namespace
}  // namespace aim::routing
