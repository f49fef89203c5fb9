// HISTORY_RETENTION_DAYS: what is older goes, in batches, and nothing else.
#include <chrono>
#include <thread>

#include "tests/integration/data_api/data_api_test_base.hpp"

namespace aim::data_api {
namespace {

class RetentionTest : public DataApiTest {
  protected:
    // So many prompts of that age.
    void AddHistory(int count, int days) {
        Sql("INSERT INTO prompt_history (id, ai_model_id, prompt_text, status, created_at) SELECT "
            "gen_random_uuid(), gen_random_uuid(), 'text', 'success', now() - make_interval(days "
            "=> " +
            std::to_string(days) + ") FROM generate_series(1, " + std::to_string(count) + ")");
    }
    // One outcome of that age, its day's partition with it; `id_of_day` false: with a foreign id.
    void AddOutcome(int days, bool id_of_day) {
        const std::string day = "(now() AT TIME ZONE 'UTC')::date - " + std::to_string(days);
        if (id_of_day) Sql("SELECT ensure_outcome_partition(" + day + ")");
        Sql("INSERT INTO request_outcomes (id, model_id, outcome, counts, source, occurred_at) "
            "SELECT " +
            std::string(id_of_day ? "first_id_of_day(" + day + ")" : "gen_random_uuid()") +
            ", gen_random_uuid(), 'success', true, 'prompt', now() - make_interval(days => " +
            std::to_string(days) + ")");
    }
    std::string Count(const std::string& table) { return Sql("SELECT count(*) FROM " + table); }
    void AddAll() {
        AddHistory(4500, 40);  // more than two batches
        AddHistory(3, 29);
        AddOutcome(40, true);
        AddOutcome(29, true);
        AddOutcome(40, false);
        AddOutcome(29, false);
    }
};

TEST_F(RetentionTest, WhatIsOlderIsDeletedAndTheRestStays) {
    Start();
    AddAll();
    ASSERT_EQ(process_->Terminate(), 0);
    Start({{"HISTORY_RETENTION_DAYS", "30"}});
    EXPECT_TRUE(process_->WaitUntil([&] { return Count("prompt_history") == "3"; }));
    EXPECT_TRUE(process_->WaitUntil([&] { return Count("request_outcomes") == "2"; }));
    EXPECT_TRUE(process_->WaitUntil([&] {
        return process_->output().find("\"retention\"") != std::string::npos;
    })) << process_->output();
    EXPECT_NE(process_->output().find("\"prompts\":4500"), std::string::npos) << process_->output();
    EXPECT_EQ(Json(client().Get("/ready")).root().Get("status").StringOr(""), "ready");
    // The ledger goes on.
    const std::string id = AddModel("m");
    Ledger(Batch({Outcome(NewId(), id)}), 1, 0);
}

// Who reads or writes a day's table keeps it until later, and nobody else suffers.
TEST_F(RetentionTest, ATableThatIsInUseIsNotWaitedFor) {
    Start();
    AddAll();
    ASSERT_EQ(process_->Terminate(), 0);
    std::thread user([&] {
        Sql("DO $$ BEGIN LOCK TABLE request_outcomes IN ROW EXCLUSIVE MODE; FOR i IN 1..600 LOOP "
            "PERFORM pg_sleep(0.1); EXIT WHEN EXISTS (SELECT FROM pg_class WHERE relname = "
            "'enough'); END LOOP; END $$");
    });
    const auto in_use = [&] {
        return Sql("SELECT count(*) FROM pg_locks WHERE mode = 'RowExclusiveLock' AND granted AND "
                   "relation = 'request_outcomes'::regclass") == "1";
    };
    for (int i = 0; i < 300 && !in_use(); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    Start({{"HISTORY_RETENTION_DAYS", "30"}});
    EXPECT_TRUE(process_->WaitUntil([&] {
        return process_->output().find("retention_failed") != std::string::npos;
    })) << process_->output();
    EXPECT_EQ(Count("prompt_history"), "3");
    EXPECT_EQ(Count("request_outcomes"), "3");  // the foreign id's row is gone, the table is there
    EXPECT_EQ(Json(client().Get("/ready")).root().Get("status").StringOr(""), "ready");
    const std::string id = AddModel("m");
    Ledger(Batch({Outcome(NewId(), id)}), 1, 0);
    Sql("CREATE TABLE enough ()");
    user.join();
}

TEST_F(RetentionTest, WithoutItNothingIsDeleted) {
    Start();
    AddAll();
    ASSERT_EQ(process_->Terminate(), 0);
    Start();
    const std::string id = AddModel("m");
    Ledger(Batch({Outcome(NewId(), id)}), 1, 0);
    EXPECT_EQ(Count("prompt_history"), "4503");
    EXPECT_EQ(Count("request_outcomes"), "5");
}

TEST_F(RetentionTest, ANumberThatIsNoneIsNamed) {
    Environment environment = BaseEnvironment();
    environment["HISTORY_RETENTION_DAYS"] = "soon";
    ProcessFixture process({Program(), {}, environment});
    EXPECT_EQ(process.WaitForExit(), 2);
    EXPECT_NE(process.output().find("HISTORY_RETENTION_DAYS"), std::string::npos);
}

}  // namespace
}  // namespace aim::data_api
