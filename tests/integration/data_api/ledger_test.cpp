#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "tests/integration/data_api/data_api_test_base.hpp"

namespace aim::data_api {
namespace {

TEST_F(DataApiTest, ABatchIsCountedOnceHoweverOftenItComes) {
    Start();
    const std::string id = AddModel("m");
    const std::string history_id = NewId().ToString();
    const std::string batch = Batch(
        {Outcome(NewId(), id, "success", R"("response_time_ms":100.5)"),
         Outcome(NewId(), id, "success", R"("response_time_ms":200)"),
         Outcome(NewId(), id, "upstream_failure", R"("response_time_ms":null,"source":"probe")"),
         Outcome(NewId(), id, "invalid_request", R"("counts":false,"response_time_ms":9)")},
        {R"({"id":")" + history_id +
         R"(","request_id":"r1","prompt_text":"p","status":"success","ai_model_id":")" + id +
         "\"}"});
    const json::Document answer = Ledger(batch, 5, 0);
    ASSERT_EQ(answer.root().Get("models").size(), 1U);
    const json::Value model = answer.root().Get("models").At(0);
    EXPECT_EQ(model.Get("id").StringOr(""), id);
    EXPECT_EQ(model.Get("total_requests").AsInt64(), 3);
    EXPECT_EQ(model.Get("successful_requests").AsInt64(), 2);
    EXPECT_EQ(model.Get("failed_requests").AsInt64(), 1);
    EXPECT_EQ(model.Get("response_time_sum_us").AsInt64(), 300500);
    EXPECT_EQ(model.Get("timed_requests").AsInt64(), 2);
    const std::string before = client().Get("/models/" + id).body;

    const json::Document repeated = Ledger(batch, 0, 5);
    EXPECT_EQ(repeated.root().Get("models").size(),
              1U);  // named all the same: the sender needs the row
    EXPECT_EQ(client().Get("/models/" + id).body, before);
    const json::Document history = Json(client().Get("/history"));
    ASSERT_EQ(history.root().Get("items").size(), 1U);
    EXPECT_EQ(history.root().Get("items").At(0).Get("model_name").StringOr(""), "m");
}

TEST_F(DataApiTest, OverlappingAndUnorderedBatchesAddUp) {
    Start();
    const std::string a = AddModel("a");
    const std::string b = AddModel("b");
    std::vector<std::string> outcomes;
    for (int i = 0; i < 20; ++i) outcomes.push_back(Outcome(NewId(), i % 2 == 0 ? a : b));
    Ledger(Batch({outcomes.begin() + 5, outcomes.begin() + 15}), 10, 0);
    std::vector<std::string> reversed(outcomes.rbegin(), outcomes.rend());
    Ledger(Batch(reversed), 10, 10);
    // The same id twice in one batch counts once.
    const std::string twice = Outcome(NewId(), a);
    Ledger(Batch({twice, twice, outcomes[0]}), 1, 2);
    EXPECT_EQ(Model(a).root().Get("total_requests").AsInt64(), 11);
    EXPECT_EQ(Model(b).root().Get("total_requests").AsInt64(), 10);
}

TEST_F(DataApiTest, BadRecordsAreRejectedByThemselves) {
    Start();
    const std::string id = AddModel("m");
    const std::string ghost = NewId().ToString();
    const Uuid of_ghost = NewId();
    const json::Document answer = Ledger(
        Batch(
            {Outcome(NewId(), id), R"({"id":"nonsense"})", R"(17)", Outcome(NewId(), id, "made_up"),
             Outcome(NewId(), id, "success", R"("response_time_ms":-5)"),
             Outcome(NewId(), id, "success", R"("cost":"1e9")"),
             Outcome(NewId(), id, "success", R"("source":"prompt","occurred_at":"never")"),
             Outcome(of_ghost, ghost),
             Outcome(
                 NewId(), id, "success",
                 R"("new_field_of_a_newer_sender":1,"cost":"0.000000000000125","prompt_tokens":7)")},
            {R"({"id":")" + NewId().ToString() +
                 R"(","prompt_text":"kept","status":"error","ai_model_id":")" + ghost +
                 R"(","model_name":"ghost"})",
             R"({"prompt_text":"without an id","status":"success"})"}),
        3, 0, 8);
    bool named = false;
    for (const auto& [key, rejected] : answer.root().Get("rejected")) {
        EXPECT_FALSE(rejected.Get("reason").StringOr("").empty());
        named = named || rejected.Get("id").StringOr("") == of_ghost.ToString();
    }
    EXPECT_TRUE(named);
    EXPECT_EQ(Model(id).root().Get("total_requests").AsInt64(), 2);
    EXPECT_EQ(
        Json(client().Get("/history")).root().Get("items").At(0).Get("model_name").StringOr(""),
        "ghost");
    EXPECT_EQ(Sql("SELECT cost FROM request_outcomes WHERE cost IS NOT NULL"), "0.000000000000125");
}

TEST_F(DataApiTest, WhatIsNoBatchIsRefused) {
    Start();
    const std::string id = AddModel("m");
    ExpectError(client().Post("/ledger", "[]"), 400, "invalid_request");
    ExpectError(client().Post("/ledger", "{"), 400, "invalid_json");
    ExpectError(client().Post("/ledger", R"({"outcomes":{}})"), 400, "invalid_request", "outcomes");
    ExpectError(client().Post("/ledger", R"({"history":1})"), 400, "invalid_request", "history");
    std::vector<std::string> outcomes;
    for (int i = 0; i < 501; ++i) outcomes.push_back(Outcome(NewId(), id));
    ExpectError(client().Post("/ledger", Batch(outcomes)), 400, "invalid_request", "outcomes");
    outcomes.pop_back();
    Ledger(Batch(outcomes), 500, 0);
    ExpectError(client().Post("/ledger", "{\"outcomes\":[]}" + std::string(4 * 1024 * 1024, ' ')),
                413, "body_too_large");
    Ledger("{}", 0, 0);
    Ledger(R"({"outcomes":null,"history":[]})", 0, 0);
}

TEST_F(DataApiTest, PoisonDoesNotStopABatch) {
    Start({{"HISTORY_TEXT_MAX", "2048"}});
    const std::string id = AddModel("m");
    Ledger(Batch({Outcome(NewId(), id, "success", R"("request_id2":"\u0000")"),
                  R"({"id":")" + NewId().ToString() +
                      R"(","request_id":"a\u0000\udc00","model_id":")" + id +
                      R"(","outcome":"success","provider":"p\ud800"})"},
                 {R"({"id":")" + NewId().ToString() +
                  R"(","prompt_text":"x\u0000y\ud83d","response_text":")" + std::string(5000, 'r') +
                  R"(","user_id":")" + std::string(9000, 'u') + R"(","username":")" +
                  std::string(500, 'n') + R"(","status":"success"})"}),
           3, 0);
    const json::Document history = Json(client().Get("/history"));
    const json::Value row = history.root().Get("items").At(0);
    EXPECT_EQ(row.Get("prompt_text").StringOr(""), "x\uFFFDy\uFFFD");
    EXPECT_LE(row.Get("response_text").StringOr("").size(), 2048U);
    EXPECT_EQ(row.Get("user_id").StringOr("").size(), 200U);
    EXPECT_EQ(row.Get("username").StringOr("").size(), 100U);
}

// A record that passes our checks and that PostgreSQL refuses all the same: it must not take its
// batch with it, nor block the sender for ever.
TEST_F(DataApiTest, ARecordThatTheDatabaseRefusesIsRejectedByItself) {
    Start();
    const std::string id = AddModel("m");
    Sql("ALTER TABLE request_outcomes ADD CONSTRAINT no_poison CHECK (provider <> 'poison')");
    Sql("ALTER TABLE prompt_history ADD CONSTRAINT no_poison CHECK (prompt_text <> 'poison')");
    std::vector<std::string> outcomes;
    for (int i = 0; i < 30; ++i) outcomes.push_back(Outcome(NewId(), id));
    const Uuid bad = NewId();
    outcomes.insert(outcomes.begin() + 11, R"({"id":")" + bad.ToString() + R"(","model_id":")" +
                                               id +
                                               R"(","outcome":"success","provider":"poison"})");
    std::vector<std::string> history;
    for (const char* text : {"a", "poison", "b"})
        history.push_back(R"({"id":")" + NewId().ToString() + R"(","prompt_text":")" + text +
                          R"(","status":"success"})");
    const json::Document answer = Ledger(Batch(outcomes, history), 32, 0, 2);
    EXPECT_EQ(answer.root().Get("rejected").At(0).Get("id").StringOr(""), bad.ToString());
    EXPECT_EQ(answer.root().Get("models").At(0).Get("total_requests").AsInt64(), 30);
    EXPECT_EQ(Model(id).root().Get("total_requests").AsInt64(), 30);
    Ledger(Batch(outcomes, history), 0, 32, 2);
}

TEST_F(DataApiTest, IdsOfAllAgesFindTheirPlace) {
    Start();
    const std::string id = AddModel("m");
    using std::chrono::hours;
    const WallTime now = SystemClock().WallNow();
    const Uuid foreign = *Uuid::Parse("a3bb189e-8bf9-4c3a-9f1e-2b8d1c6f4e5a");
    const Uuid old = Uuid::MakeV7(now - hours(24 * 30), *random_);
    const Uuid future = Uuid::MakeV7(now + hours(24 * 20), *random_);
    const std::string batch =
        Batch({Outcome(foreign, id), Outcome(old, id), Outcome(future, id), Outcome(NewId(), id)});
    Ledger(batch, 3, 1);  // the old one is acknowledged, not counted
    Ledger(batch, 0, 4);
    EXPECT_EQ(Model(id).root().Get("total_requests").AsInt64(), 3);
    EXPECT_EQ(Sql("SELECT count(*) FROM request_outcomes_default"), "2");
    // The day of the id from the future comes: its row moves into the new partition, and stays
    // known.
    EXPECT_EQ(Sql("SELECT ensure_outcome_partition(((now() AT TIME ZONE 'UTC') + interval '20 "
                  "days')::date)"),
              "t");
    EXPECT_EQ(Sql("SELECT count(*) FROM request_outcomes_default"), "1");
    Ledger(batch, 0, 4);
    EXPECT_EQ(
        Sql("SELECT count(*) FROM pg_inherits WHERE inhparent = 'request_outcomes'::regclass"),
        "11");
    // A clock that is ahead does not put the last check into the future.
    Ledger(Batch({Outcome(NewId(), id, "success", R"("occurred_at":"2099-01-01T00:00:00Z")")}), 1,
           0);
    EXPECT_LT(std::string(Model(id).root().Get("last_check_at").StringOr("")), "2090");
}

// 64 writers, each with batches over all models in an order of its own, half of them sent twice: no
// deadlock reaches a sender and no count is lost or doubled.
TEST_F(DataApiTest, SixtyFourWritersCountExactly) {
    Start({{"DATA_API_THREADS", "8"}});
    constexpr int kWriters = 64;
    constexpr int kBatches = 6;
    constexpr int kRecords = 24;
    std::vector<std::string> models;
    for (int m = 0; m < 6; ++m) models.push_back(AddModel("m" + std::to_string(m)));
    std::mutex mutex;
    std::map<std::string, std::array<std::int64_t, 3>> expected;
    std::atomic<int> failures{0};
    std::vector<std::thread> writers;
    for (int w = 0; w < kWriters; ++w) {
        writers.emplace_back([&, w] {
            const auto random = MakeSeededRandom(static_cast<std::uint64_t>(w));
            HttpTestClient client = NewClient(std::chrono::seconds(60));
            for (int b = 0; b < kBatches; ++b) {
                std::vector<std::string> outcomes;
                std::map<std::string, std::array<std::int64_t, 3>> mine;
                for (int r = 0; r < kRecords; ++r) {
                    const std::string& model = models[random->Next() % models.size()];
                    const bool success = random->Next() % 4 != 0;
                    const std::int64_t time = static_cast<std::int64_t>(random->Next() % 3000);
                    outcomes.push_back(Outcome(Uuid::MakeV7(SystemClock().WallNow(), *random),
                                               model, success ? "success" : "overloaded",
                                               "\"response_time_ms\":" + std::to_string(time)));
                    ++mine[model][success ? 0 : 1];
                    mine[model][2] += time * 1000;
                }
                const std::string& single = models[random->Next() % models.size()];
                for (int send = 0; send < 1 + b % 2; ++send) {
                    if (client.Post("/api/v1/ledger", Batch(outcomes)).status != 200) ++failures;
                }
                if (client.Post("/models/" + single + "/increment-success", "").status != 200)
                    ++failures;
                ++mine[single][0];
                const std::lock_guard lock(mutex);
                for (const auto& [model, counts] : mine) {
                    for (std::size_t i = 0; i < counts.size(); ++i) expected[model][i] += counts[i];
                }
            }
        });
    }
    for (std::thread& writer : writers) writer.join();
    EXPECT_EQ(failures.load(), 0) << process_->output();
    for (const std::string& id : models) {
        const json::Document document = Model(id);
        EXPECT_EQ(document.root().Get("successful_requests").AsInt64(), expected[id][0]);
        EXPECT_EQ(document.root().Get("failed_requests").AsInt64(), expected[id][1]);
        EXPECT_EQ(document.root().Get("total_requests").AsInt64(),
                  expected[id][0] + expected[id][1]);
        EXPECT_EQ(document.root().Get("response_time_sum_us").AsInt64(), expected[id][2]);
    }
    EXPECT_EQ(Sql("SELECT count(*) FROM request_outcomes"),
              std::to_string(kWriters * kBatches * kRecords));
}

}  // namespace
}  // namespace aim::data_api
