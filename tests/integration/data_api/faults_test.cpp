#include <atomic>
#include <thread>

#include <signal.h>

#include "tests/integration/data_api/data_api_test_base.hpp"

namespace aim::data_api {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

// Whatever the test does to the shared server is undone for the next one.
class DataApiFaultsTest : public DataApiTest {
  protected:
    ~DataApiFaultsTest() override {
        postgres().Thaw();
        postgres().Start();
    }

    bool Heals() {
        return process_->WaitUntil([&] { return NewClient().Get("/models").status == 200; },
                                   seconds(20));
    }
};

TEST_F(DataApiFaultsTest, ASilentDatabaseGives503WithinSixSecondsAndHeals) {
    Start();
    AddModel("m");
    // Every handler's connection is open.
    std::vector<std::thread> warm;
    for (int i = 0; i < 8; ++i)
        warm.emplace_back([&] { EXPECT_EQ(NewClient().Get("/models").status, 200); });
    for (std::thread& thread : warm) thread.join();
    postgres().Freeze();
    std::atomic<int> refused{0};
    std::vector<std::thread> clients;
    for (int i = 0; i < 16; ++i) {
        clients.emplace_back([&, i] {
            HttpTestClient mine = NewClient();
            const auto begin = Clock::now();
            const HttpAnswer answer =
                i % 2 == 0
                    ? mine.Get("/models")
                    : mine.Post(
                          "/ledger",
                          R"({"history":[{"id":"0199b1c2-0000-7000-8000-000000000001","prompt_text":"p","status":"success"}]})");
            const auto took = Clock::now() - begin;
            EXPECT_LT(took, seconds(6));
            ExpectError(answer, 503, "database_unavailable");
            EXPECT_NE(answer.Header("Retry-After"), "");
            ++refused;
        });
    }
    for (std::thread& thread : clients) thread.join();
    EXPECT_EQ(refused.load(), 16);
    // Once it is known nobody waits any more, and the service itself answers.
    const auto begin = Clock::now();
    ExpectError(NewClient().Get("/models"), 503, "database_unavailable");
    EXPECT_LT(Clock::now() - begin, seconds(1));
    EXPECT_EQ(NewClient().Get("/health").status, 200);
    EXPECT_EQ(NewClient().Get("/ready").status, 503);
    EXPECT_EQ(NewClient().Get("/metrics").status, 200);
    postgres().Thaw();
    EXPECT_TRUE(Heals()) << process_->output();
    EXPECT_EQ(NewClient().Get("/ready").status, 200);
}

TEST_F(DataApiFaultsTest, AKilledDatabaseGives503AndHealsWhenItIsBack) {
    Start();
    AddModel("m");
    postgres().KillHard();
    const auto begin = Clock::now();
    ExpectError(client().Get("/models"), 503, "database_unavailable");
    EXPECT_LT(Clock::now() - begin, seconds(6));
    postgres().Start();
    EXPECT_TRUE(Heals()) << process_->output();
}

// The connections that the pool holds are dead after a restart; nobody may notice.
TEST_F(DataApiFaultsTest, ARestartBetweenRequestsIsNotSeen) {
    Start();
    AddModel("m");
    for (int i = 0; i < 3; ++i) {
        postgres().Query(database_,
                         "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity "
                         "WHERE application_name "
                         "= 'aimanager-data-api' AND datname = current_database()");
        EXPECT_EQ(client().Get("/models").status, 200) << process_->output();
        EXPECT_EQ(client().Post("/history", R"({"prompt_text":"p","status":"success"})").status,
                  201);
    }
}

TEST_F(DataApiFaultsTest, ItStartsWithoutADatabaseAndServesWhenThereIsOne) {
    postgres().Stop();
    Start({}, false);
    EXPECT_EQ(client().Get("/health").status, 200);
    ExpectError(client().Get("/models"), 503, "database_unavailable");
    EXPECT_EQ(client().Get("/ready").status, 503);
    postgres().Start();
    EXPECT_TRUE(process_->WaitForHttp(port_, "/ready")) << process_->output();
    EXPECT_EQ(client().Get("/models").status, 200);
}

// A statement that waits for somebody's lock is ended by the server, and costs neither the
// connection nor the others their service.
TEST_F(DataApiFaultsTest, ALockedRowIsNotALostDatabase) {
    Start({{"DATABASE_TIMEOUT_MS", "1000"}});
    const std::string id = AddModel("m");
    std::thread locker([&] {
        postgres().Query(database_,
                         "BEGIN; SELECT 1 FROM ai_models FOR UPDATE; SELECT pg_sleep(3); COMMIT");
    });
    process_->WaitUntil([&] {
        return postgres().Query(database_,
                                "SELECT count(*) FROM pg_stat_activity WHERE query LIKE "
                                "'%pg_sleep(3)%' AND pid <> pg_backend_pid()") == "1";
    });
    const auto begin = Clock::now();
    ExpectError(client().Post("/models/" + id + "/increment-success", ""), 503,
                "database_unavailable");
    EXPECT_LT(Clock::now() - begin, seconds(2));
    EXPECT_EQ(client().Get("/models/" + id).status, 200);
    locker.join();
    EXPECT_EQ(client().Post("/models/" + id + "/increment-success", "").status, 200);
    EXPECT_EQ(Model(id).root().Get("total_requests").AsInt64(), 1);
}

// kill -9 in the middle of batches, again and again; the sender repeats what was not acknowledged.
// Nothing is lost or counted twice.
TEST_F(DataApiFaultsTest, KillingTheDataApiMidBatchLosesAndDoublesNothing) {
    Start();
    const std::string id = AddModel("m");
    constexpr int kBatches = 30;
    constexpr int kRecords = 100;
    std::vector<std::string> batches;
    for (int b = 0; b < kBatches; ++b) {
        std::vector<std::string> outcomes;
        for (int r = 0; r < kRecords; ++r)
            outcomes.push_back(Outcome(NewId(), id, r % 10 == 0 ? "overloaded" : "success",
                                       "\"response_time_ms\":7"));
        batches.push_back(Batch(outcomes));
    }
    std::atomic<std::uint16_t> port{port_};
    std::atomic<bool> done{false};
    std::atomic<int> repeated{0};
    std::thread sender([&] {
        for (const std::string& batch : batches) {
            for (;;) {
                const HttpAnswer answer =
                    HttpTestClient(port.load(), seconds(5)).Post("/ledger", batch);
                if (answer.status == 200) break;
                ++repeated;
                std::this_thread::sleep_for(milliseconds(2));
            }
        }
        done = true;
    });
    const auto random = MakeSeededRandom(7);
    for (int kills = 0; kills < 6 && !done.load(); ++kills) {
        const auto until = Clock::now() + milliseconds(5 + random->Next() % 40);
        process_->WaitUntil([&] { return done.load() || Clock::now() >= until; });
        process_->Kill();
        Start();
        port = port_;
    }
    sender.join();
    const json::Document model = Model(id);
    EXPECT_EQ(model.root().Get("total_requests").AsInt64(), kBatches * kRecords);
    EXPECT_EQ(model.root().Get("failed_requests").AsInt64(), kBatches * kRecords / 10);
    EXPECT_EQ(model.root().Get("response_time_sum_us").AsInt64(), kBatches * kRecords * 7000);
    EXPECT_EQ(Sql("SELECT count(*) FROM request_outcomes"), std::to_string(kBatches * kRecords));
    EXPECT_GT(repeated.load(), 0);
}

}  // namespace
}  // namespace aim::data_api
