#include "core/ledger/delivery.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "core/json/json.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/scripted_http_client.hpp"
#include "tests/unit/core/ledger/ledger_test_support.hpp"

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
        journal_.Append(std::move(records));
    }
    // Runs the delivery until the journal is empty, then stops it.
    void RunUntilEmpty() {
        boost::asio::co_spawn(loop_, delivery_.Run(), boost::asio::detached);
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while ((journal_.has_unread() || delivery_.stats().in_flight > 0) &&
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
    const ScratchFolder folder_;
    Listener listener_;
    testing::LogCapture log_;
    Journal journal_{JournalOptions(), log_};
    DeadLetters dead_letters_{folder_.path() / "dead-letters.jsonl", 1 << 20};
    Delivery delivery_{journal_, client_, listener_, dead_letters_, log_};
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

testing::ScriptedAnswer Refusal(int status) {
    testing::ScriptedAnswer refused =
        testing::ScriptedAnswer::Ok({R"({"error":"bad","error_code":"invalid_request"})"});
    refused.status = status;
    return refused;
}

testing::ScriptedAnswer Applied() {
    return testing::ScriptedAnswer::Ok(
        {R"({"models":[],"applied":1,"duplicates":0,"rejected":[]})"});
}

// Four records, the third is poison: the whole, the first half, the second half, its two records.
TEST_F(DeliveryTest, ABatchThatIsRefusedAsAWholeIsHalvedUntilThePoisonStandsAlone) {
    http_.Add(Refusal(400));
    http_.Add(Applied());
    http_.Add(Refusal(413));
    http_.Add(Refusal(400));
    http_.Add(Applied());
    Append(3);
    RunUntilEmpty();
    ASSERT_EQ(http_.requests().size(), 5u);
    EXPECT_EQ(delivery_.stats().rejected, 1u);
    EXPECT_EQ(delivery_.stats().delivered, 3u);
    EXPECT_EQ(log_.Count("ledger_batch_refused"), 2u);
    EXPECT_EQ(listener_.begun, 1);
    EXPECT_EQ(listener_.arrived, 1);
    EXPECT_EQ(dead_letters_.written(), 1u);
    const auto letter = json::Parse(ReadFile(folder_.path() / "dead-letters.jsonl"));
    ASSERT_TRUE(letter);
    EXPECT_EQ(letter->root().Get("kind").StringOr(""), "outcome");
    EXPECT_EQ(letter->root().Get("record").Get("request_id").StringOr(""), "r2");
    EXPECT_NE(letter->root().Get("reason").StringOr("").find("bad"), std::string::npos);
    EXPECT_EQ(journal_.status().pending_records, 0u);
}

// A wrong token, another service at the address, a proxy that does not know us: no record's fault.
TEST_F(DeliveryTest, WhatIsNoVerdictOnTheBatchIsTriedAgain) {
    for (const int status : {401, 403, 404}) http_.Add(Refusal(status));
    testing::ScriptedAnswer stranger = testing::ScriptedAnswer::Ok({"<html>bad request</html>"});
    stranger.status = 400;
    http_.Add(stranger);
    http_.Add(Applied());
    Append(1);
    RunUntilEmpty();
    EXPECT_EQ(http_.requests().size(), 5u);
    EXPECT_EQ(delivery_.stats().rejected, 0u);
    EXPECT_EQ(delivery_.stats().delivered, 2u);
    EXPECT_EQ(dead_letters_.written(), 0u);
}

TEST_F(DeliveryTest, ARejectedRecordGoesToTheDeadLetters) {
    completion::Outcome outcome;
    outcome.id = *Uuid::Parse("0199b1c2-0000-7000-8000-00000000000a");
    std::vector<Record> records;
    records.push_back(MakeRecord(outcome));
    journal_.Append(std::move(records));
    http_.Add(testing::ScriptedAnswer::Ok(
        {R"({"models":[],"applied":1,"duplicates":0,"rejected":[)"
         R"({"id":"0199b1c2-0000-7000-8000-00000000000a","reason":"unknown model"},)"
         R"({"id":"x-1","reason":"never sent"}]})"}));
    Append(1);
    RunUntilEmpty();
    EXPECT_EQ(delivery_.stats().rejected, 1u);
    EXPECT_EQ(delivery_.stats().delivered, 2u);
    EXPECT_EQ(log_.Count("ledger_record_rejected"), 2u);
    const std::string letters = ReadFile(folder_.path() / "dead-letters.jsonl");
    EXPECT_NE(letters.find("unknown model"), std::string::npos);
    EXPECT_EQ(letters.find("x-1"), std::string::npos);
}

TEST_F(DeliveryTest, WhatIsStoppedStaysInTheJournal) {
    Append(1);
    boost::asio::co_spawn(loop_, delivery_.Run(), boost::asio::detached);
    testing::ScriptedAnswer away;
    away.send_error = Fail(ErrorKind::kUpstreamFailure, "refused").value();
    for (int i = 0; i < 50; ++i) http_.Add(away);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (delivery_.stats().failed_calls < 2 && std::chrono::steady_clock::now() < deadline)
        loop_.run_one_for(std::chrono::milliseconds(50));
    delivery_.Stop();
    loop_.run_for(std::chrono::seconds(2));
    EXPECT_GE(delivery_.stats().failed_calls, 2u);
    EXPECT_EQ(journal_.status().pending_records, 2u);
    EXPECT_EQ(listener_.arrived, 0);
}

// The live rating does not know them: telling it would take away what was never added.
TEST_F(DeliveryTest, RecordsOfAnEarlierProcessAreDeliveredWithoutTellingTheRating) {
    JournalOptions options;
    options.folder = folder_.path() / "journal";
    options.segment_bytes = 64 * 1024;
    {
        Journal before(options, log_);
        ASSERT_TRUE(before.Open());
        std::vector<Record> records;
        records.push_back(MakeRecord(completion::Outcome()));
        before.Append(std::move(records));
    }
    Journal journal(options, log_);
    ASSERT_TRUE(journal.Open());
    Delivery delivery(journal, client_, listener_, dead_letters_, log_);
    std::vector<Record> records;
    records.push_back(MakeRecord(completion::Outcome()));
    journal.Append(std::move(records));
    http_.Add(Applied());
    boost::asio::co_spawn(loop_, delivery.Run(), boost::asio::detached);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (delivery.stats().delivered < 2 && std::chrono::steady_clock::now() < deadline)
        loop_.run_one_for(std::chrono::milliseconds(50));
    delivery.Stop();
    loop_.run_for(std::chrono::seconds(1));
    EXPECT_EQ(delivery.stats().delivered, 2u);
    EXPECT_EQ(listener_.counted, 1);
    EXPECT_EQ(journal.status().replayed, 1u);
}

}  // namespace
}  // namespace aim::ledger
