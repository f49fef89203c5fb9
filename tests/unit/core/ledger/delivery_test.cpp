#include "core/ledger/delivery.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "core/json/json.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/scripted_http_client.hpp"

namespace aim::ledger {
namespace {

class Listener final : public DeliveryListener {
  public:
    void OnBatchBegins(std::span<const rating::Delta> batch) override {
        ++begun;
        for (const rating::Delta& delta : batch)
            counted += static_cast<int>(delta.counters.total_requests);
    }
    void OnBatchArrived(std::span<const rating::Delta>,
                        std::span<const rating::StoredRow> rows) override {
        ++arrived;
        rows_seen += static_cast<int>(rows.size());
    }
    int begun = 0;
    int arrived = 0;
    int counted = 0;
    int rows_seen = 0;
};

class DeliveryTest : public ::testing::Test {
  protected:
    void Append(int outcomes) {
        std::vector<Record> records;
        for (int i = 0; i < outcomes; ++i) {
            completion::Outcome outcome;
            outcome.request_id = "r" + std::to_string(i);
            records.push_back(MakeRecord(outcome));
        }
        completion::HistoryRecord history;
        history.prompt_text = "hi";
        records.push_back(MakeRecord(history, 1000));
        queue_.Append(std::move(records));
    }
    // Runs the delivery until the queue is empty, then stops it.
    void RunUntilEmpty() {
        boost::asio::co_spawn(loop_, delivery_.Run(), boost::asio::detached);
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while ((queue_.size() > 0 || delivery_.stats().in_flight > 0) &&
               std::chrono::steady_clock::now() < deadline) {
            loop_.run_one_for(std::chrono::milliseconds(50));
        }
        delivery_.Stop();
        loop_.run_for(std::chrono::seconds(2));
    }

    boost::asio::io_context loop_{1};
    TimerQueue timers_{loop_};
    testing::ScriptedHttpClient http_{loop_.get_executor()};
    data_client::DataApiClient client_{http_, timers_, *http::Url::Parse("http://data.test:8001"),
                                       SecretString("token-1")};
    RecordQueue queue_{1 << 20};
    Listener listener_;
    testing::LogCapture log_;
    Delivery delivery_{queue_, client_, listener_, log_};
};

TEST_F(DeliveryTest, SendsOneBatchAndTellsTheRating) {
    http_.Add(testing::ScriptedAnswer::Ok(
        {R"({"models":[{"id":"01a1fbfd-34ef-72f9-8bdc-d78704510b08","name":"m","provider":"p","version":4}],"applied":4,)"
         R"("duplicates":0,"rejected":[]})"}));
    Append(3);
    RunUntilEmpty();
    ASSERT_EQ(http_.requests().size(), 1u);
    const auto& request = http_.requests()[0];
    EXPECT_EQ(request.url.target, "/api/v1/ledger");
    EXPECT_EQ(request.headers.Find("X-API-Key"), "token-1");
    const auto body = json::Parse(request.body);
    ASSERT_TRUE(body);
    EXPECT_EQ(body->root().Get("outcomes").size(), 3u);
    EXPECT_EQ(body->root().Get("history").size(), 1u);
    EXPECT_EQ(listener_.counted, 3);
    EXPECT_EQ(listener_.arrived, 1);
    EXPECT_EQ(listener_.rows_seen, 1);
    EXPECT_EQ(delivery_.stats().delivered, 4u);
}

TEST_F(DeliveryTest, RepeatsTheSameBatchUntilItIsAnswered) {
    testing::ScriptedAnswer away;
    away.send_error = Fail(ErrorKind::kUpstreamFailure, "refused").value();
    testing::ScriptedAnswer down = testing::ScriptedAnswer::Ok(
        {R"({"error":"no database","error_code":"database_unavailable"})"});
    down.status = 503;
    http_.Add(away);
    http_.Add(down);
    http_.Add(
        testing::ScriptedAnswer::Ok({R"({"models":[],"applied":2,"duplicates":0,"rejected":[]})"}));
    Append(1);
    RunUntilEmpty();
    ASSERT_EQ(http_.requests().size(), 3u);
    EXPECT_EQ(http_.requests()[0].body, http_.requests()[2].body);
    EXPECT_EQ(listener_.begun, 1);
    EXPECT_EQ(listener_.arrived, 1);
    EXPECT_EQ(delivery_.stats().failed_calls, 2u);
    EXPECT_FALSE(delivery_.last_call_failed());
}

TEST_F(DeliveryTest, ABatchThatIsRefusedAsAWholeDoesNotStopTheLedger) {
    testing::ScriptedAnswer refused =
        testing::ScriptedAnswer::Ok({R"({"error":"bad","error_code":"invalid_request"})"});
    refused.status = 400;
    http_.Add(refused);
    Append(1);
    RunUntilEmpty();
    EXPECT_EQ(http_.requests().size(), 1u);
    EXPECT_EQ(delivery_.stats().rejected, 2u);
    EXPECT_EQ(log_.Count("ledger_batch_refused"), 1u);
}

TEST_F(DeliveryTest, ARejectedRecordIsLoggedByItsId) {
    http_.Add(testing::ScriptedAnswer::Ok(
        {R"({"models":[],"applied":1,"duplicates":0,"rejected":[{"id":"x-1","reason":"unknown model"}]})"}));
    Append(1);
    RunUntilEmpty();
    EXPECT_EQ(log_.Last("ledger_record_rejected").fields.at("record_id"), "x-1");
}

}  // namespace
}  // namespace aim::ledger
