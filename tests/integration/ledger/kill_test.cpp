// Processes that die under load: what was answered is in the history, once.
#include <unistd.h>

#include "core/base/random.hpp"
#include "tests/integration/ledger/chaos_run.hpp"

namespace aim::gateway {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int kClients = 6;
// Where the load is to go on for a while, so that the backlog is small enough for a slow machine.
constexpr int kFewClients = 2;

TEST_F(LedgerTest, KillingTheBusinessApiLosesAndDoublesNothing) {
    Service data_api = DataApi();
    auto business = std::make_unique<Service>(BusinessApi());
    Askers askers("kb" + std::to_string(::getpid()) + "-", kClients);
    const auto random = MakeSeededRandom(11);
    const int rounds = ChaosRounds();
    for (int round = 0; round < rounds; ++round) {
        const std::size_t before = askers.answered_so_far();
        askers.Aim(business->port);
        const auto until = Clock::now() + milliseconds(20 + random->Next() % 300);
        ASSERT_TRUE(Eventually([&] {
            return Clock::now() >= until && askers.answered_so_far() > before;
        })) << business->process->output();
        business->process->Kill();
        askers.Aim(0);
        business = std::make_unique<Service>(BusinessApi());
    }
    askers.Stop();
    AwaitDelivery(*business);
    EXPECT_EQ(MetricOf(*business, "aimanager_ledger_corrupt_total"), "0");
    Settle("kill -9 business API", rounds, askers);
}

TEST_F(LedgerTest, KillingTheDataApiLosesAndDoublesNothing) {
    auto data_api = std::make_unique<Service>(DataApi());
    const Service business = BusinessApi();
    Askers askers("kd" + std::to_string(::getpid()) + "-", kFewClients);
    askers.Aim(business.port);
    const auto random = MakeSeededRandom(12);
    const int rounds = ChaosRounds();
    for (int round = 0; round < rounds; ++round) {
        const std::size_t before = askers.answered_so_far();
        const auto until = Clock::now() + milliseconds(20 + random->Next() % 300);
        ASSERT_TRUE(
            Eventually([&] { return Clock::now() >= until && askers.answered_so_far() > before; }));
        data_api->process->Kill();
        data_api = std::make_unique<Service>(DataApi());
    }
    askers.Stop();
    EXPECT_TRUE(askers.refusals().empty());
    AwaitDelivery(business);
    Settle("kill -9 data API", rounds, askers);
}

TEST_F(LedgerTest, APostgresThatIsAwayForAWhileCostsNoAnswer) {
    Service data_api = DataApi();
    const Service business = BusinessApi();
    Askers askers("pg" + std::to_string(::getpid()) + "-", kFewClients);
    askers.Aim(business.port);
    // Half a second a round, at most the minute of the long run.
    const auto away = milliseconds(std::min(500 * ChaosRounds(), 60'000));
    ASSERT_TRUE(Eventually([&] { return askers.answered_so_far() > 20; }));
    test::PostgresFixture::Shared().Stop();
    const auto until = Clock::now() + away;
    const std::size_t before = askers.answered_so_far();
    EXPECT_TRUE(Eventually([&] { return Clock::now() >= until; }, away + milliseconds(5000)));
    EXPECT_GT(askers.answered_so_far(), before);
    test::PostgresFixture::Shared().Start();
    askers.Stop();
    EXPECT_TRUE(askers.refusals().empty());
    AwaitDelivery(business);
    Settle("PostgreSQL stopped", 1, askers);
}

}  // namespace
}  // namespace aim::gateway
