#include "core/rating/live_rating.hpp"

#include <deque>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/random.hpp"

namespace aim::rating {
namespace {

using namespace std::chrono_literals;

Uuid Id(std::uint8_t n) { return Uuid({n, 1, 2, 3}); }

Counters Good(std::int64_t n = 1) { return {n, n, 0, n * 1000, n}; }

TEST(CountOutcome, ATimeIsCountedOnlyWhenThereIsOne) {
    EXPECT_EQ(CountOutcome(true, 5ms), (Counters{1, 1, 0, 5000, 1}));
    EXPECT_EQ(CountOutcome(false, 0us), (Counters{1, 0, 1, 0, 1}));
    EXPECT_EQ(CountOutcome(true, std::nullopt), (Counters{1, 1, 0, 0, 0}));
    EXPECT_EQ(CountOutcome(true, -5us), (Counters{1, 1, 0, 0, 1}));
}

TEST(LiveRating, IsStoredPlusPending) {
    LiveRating rating;
    EXPECT_EQ(rating.Effective(Id(1)), Counters{});
    rating.ApplyRow({Id(1), 5, Good(10)});
    EXPECT_EQ(rating.AddPending(Id(1), CountOutcome(false, 1ms)), (Counters{11, 10, 1, 11000, 11}));
    EXPECT_EQ(rating.Effective(Id(1)).failed_requests, 1);
    EXPECT_EQ(rating.Effective(Id(2)), Counters{});
    EXPECT_EQ(rating.Rating(Id(1)).success_rate.value, 9091);
}

TEST(LiveRating, AnOlderOrEqualVersionChangesNothing) {
    LiveRating rating;
    rating.ApplyRow({Id(1), 5, Good(10)});
    rating.ApplyRow({Id(1), 5, Good(99)});
    rating.ApplyRow({Id(1), 4, Good(99)});
    EXPECT_EQ(rating.Effective(Id(1)), Good(10));
    rating.ApplyRow({Id(1), 6, Good(11)});
    EXPECT_EQ(rating.Effective(Id(1)), Good(11));
}

TEST(LiveRating, ARefreshThatOvertakesTheAnswerIsNotCountedTwice) {
    LiveRating rating;
    rating.ApplyRow({Id(1), 1, Good(10)});
    rating.AddPending(Id(1), Good(3));
    const std::vector<Delta> batch = {{Id(1), Good(3)}};
    rating.BeginDelivery(batch);
    rating.ApplyRow(
        {Id(1), 2, Good(13)});  // the store has applied the batch, its answer is still on the way
    EXPECT_EQ(rating.Effective(Id(1)), Good(13));
    rating.AddPending(Id(1), Good(1));
    rating.Acknowledge(batch, std::vector<StoredRow>{{Id(1), 2, Good(13)}});
    EXPECT_EQ(rating.Effective(Id(1)), Good(14));
}

TEST(LiveRating, OverlappingBatchesOfOneModelAreExact) {
    LiveRating rating;
    rating.ApplyRow({Id(1), 1, Good(10)});
    rating.AddPending(Id(1), Good(5));
    const std::vector<Delta> first = {{Id(1), Good(2)}};
    const std::vector<Delta> second = {{Id(1), Good(3)}};
    rating.BeginDelivery(first);
    rating.BeginDelivery(second);
    // The second was applied first, so the first one's row contains both.
    rating.Acknowledge(first, std::vector<StoredRow>{{Id(1), 3, Good(15)}});
    EXPECT_EQ(rating.Effective(Id(1)), Good(15));
    rating.Acknowledge(second, std::vector<StoredRow>{{Id(1), 2, Good(13)}});
    EXPECT_EQ(rating.Effective(Id(1)), Good(15));
}

TEST(LiveRating, ForgottenModelsAreGoneAndTheirAnswersHarmless) {
    LiveRating rating;
    rating.ApplyRow({Id(1), 1, Good(10)});
    rating.AddPending(Id(1), Good(1));
    const std::vector<Delta> batch = {{Id(1), Good(1)}};
    rating.BeginDelivery(batch);
    rating.Forget(Id(1));
    EXPECT_EQ(rating.Effective(Id(1)), Counters{});
    rating.ApplyRow({Id(1), 7, Good(2)});
    rating.Acknowledge(batch, {});
    EXPECT_EQ(rating.Effective(Id(1)), Good(2));
}

TEST(LiveRating, TrackedFiguresFollowAndTheGenerationTells) {
    LiveRating rating;
    const auto figures = rating.Track(Id(1));
    EXPECT_EQ(figures->score().value, 10000);
    const std::uint64_t before = rating.generation();
    rating.AddPending(Id(1), CountOutcome(false, std::nullopt));
    EXPECT_EQ(figures->score().value, 4000);
    EXPECT_EQ(figures->total_requests(), 1);
    EXPECT_GT(rating.generation(), before);
    const std::uint64_t after = rating.generation();
    rating.ApplyRow({Id(1), 0, Counters{}});
    EXPECT_EQ(rating.generation(), after);  // no figure has changed
    EXPECT_EQ(rating.Track(Id(1)), figures);
}

// A store that applies batches in any order, a process that refreshes and hears answers in any
// order: whatever happens, the rating is everything the store had at first plus every outcome of
// ours, each once.
TEST(LiveRating, CountsEachOutcomeOnceOverRandomOrdersOfRefreshAndAnswer) {
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        const auto random = MakeSeededRandom(seed);
        LiveRating rating;
        Counters store = Good(7);
        std::int64_t version = 1;
        const Uuid model = Id(9);
        rating.ApplyRow({model, version, store});
        Counters truth = store;
        Counters unsent;
        struct Flight {
            std::vector<Delta> batch;
            bool applied = false;
        };
        std::deque<Flight> flights;
        std::vector<StoredRow> on_the_way;  // rows read by refreshes that have not arrived yet
        for (int step = 0; step < 200; ++step) {
            switch (random->Next() % 6) {
                case 0: {  // an outcome
                    const Counters outcome = CountOutcome(
                        random->Next() % 2 == 0, std::chrono::microseconds(random->Next() % 1000));
                    rating.AddPending(model, outcome);
                    unsent += outcome;
                    truth += outcome;
                    break;
                }
                case 1:  // a batch leaves
                    if (unsent.total_requests == 0 || flights.size() == 3) break;
                    flights.push_back({{{model, unsent}}});
                    rating.BeginDelivery(flights.back().batch);
                    unsent = {};
                    break;
                case 2: {  // the store applies one
                    if (flights.empty()) break;
                    Flight& flight = flights[random->Next() % flights.size()];
                    if (flight.applied) break;
                    store += flight.batch[0].counters;
                    ++version;
                    flight.applied = true;
                    break;
                }
                case 3: {  // an answer comes; after a lost one the repetition's answer has a newer
                           // row
                    for (std::size_t i = 0; i < flights.size(); ++i) {
                        if (!flights[i].applied || random->Next() % 2 == 0) continue;
                        const std::vector<StoredRow> rows = {{model, version, store}};
                        rating.Acknowledge(flights[i].batch, rows);
                        flights.erase(flights.begin() + static_cast<std::ptrdiff_t>(i));
                        break;
                    }
                    break;
                }
                case 4:  // a refresh reads, without arriving yet
                    on_the_way.push_back({model, version, store});
                    break;
                default:  // a refresh arrives, perhaps an old one
                    if (on_the_way.empty()) break;
                    rating.ApplyRow(on_the_way[random->Next() % on_the_way.size()]);
                    break;
            }
            ASSERT_EQ(rating.Effective(model), truth) << "seed " << seed << " step " << step;
        }
    }
}

TEST(LiveRating, ThreadsLoseNothing) {
    LiveRating rating;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&rating] {
            for (int i = 0; i < 2000; ++i) {
                const std::vector<Delta> batch = {{Id(1), Good()}};
                rating.AddPending(Id(1), Good());
                rating.AddPending(Id(static_cast<std::uint8_t>(i % 50 + 2)), Good());
                rating.BeginDelivery(batch);
                rating.Acknowledge(batch, {});
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(rating.Effective(Id(1)), Counters{});  // all delivered, and no row has come
    Counters sum;
    for (std::uint8_t n = 2; n < 52; ++n) sum += rating.Effective(Id(n));
    EXPECT_EQ(sum, Good(8000));
}

}  // namespace
}  // namespace aim::rating
