#include <filesystem>
#include <fstream>

#include "tests/integration/data_api/data_api_test_base.hpp"

namespace aim::data_api {
namespace {

namespace fs = std::filesystem;

class DataApiMigrationTest : public DataApiTest {
  protected:
    DataApiMigrationTest() {
        char name[] = "/tmp/aim-sql-XXXXXX";
        folder_ = ::mkdtemp(name);
        fs::copy(fs::path(AIM_SOURCE_DIR) / "sql", folder_, fs::copy_options::recursive);
        empty_ = postgres().NewDatabase();
    }
    ~DataApiMigrationTest() override { fs::remove_all(folder_); }

    int RunOnce(const std::string& argument, const std::string& url) {
        Environment environment = BaseEnvironment();
        environment["DATABASE_URL"] = url;
        environment["AIM_SQL_DIR"] = folder_;
        ProcessFixture process({Program(), {argument}, environment});
        const int status = process.WaitForExit(std::chrono::seconds(60)).value_or(-1);
        output_ = process.output();
        return status;
    }

    std::string folder_;
    std::string empty_;
    std::string output_;
};

TEST_F(DataApiMigrationTest, MigrateAndSeedMayBeRepeated) {
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(RunOnce("--migrate-only", empty_), 0) << output_;
        EXPECT_EQ(RunOnce("--seed-only", empty_), 0) << output_;
    }
    EXPECT_EQ(postgres().Query(empty_, "SELECT count(*) FROM ai_models"), "9");
    EXPECT_EQ(
        postgres().Query(
            empty_, "SELECT string_agg(DISTINCT provider, ' ' ORDER BY provider) FROM ai_models"),
        "cerebras cloudflare gemini groq huggingface mock sambanova");
    EXPECT_EQ(
        postgres().Query(empty_, "SELECT count(*) FROM ai_models WHERE endpoint LIKE 'mock://%'"),
        "3");
    EXPECT_EQ(postgres().Query(
                  empty_,
                  "SELECT number || ' ' || name || ' ' || length(checksum) FROM schema_migrations"
                  " WHERE number = 1"),
              "1 0001_models_history_outcomes 64");
}

TEST_F(DataApiMigrationTest, SeedingNeverTouchesWhatAnOperatorChanged) {
    ASSERT_EQ(RunOnce("--migrate-only", empty_), 0) << output_;
    ASSERT_EQ(RunOnce("--seed-only", empty_), 0) << output_;
    postgres().Query(empty_,
                     "DELETE FROM ai_models WHERE name = 'mock-flaky'; UPDATE ai_models SET "
                     "is_active = false WHERE name = 'mock-fast'");
    ASSERT_EQ(RunOnce("--seed-only", empty_), 0) << output_;
    EXPECT_EQ(postgres().Query(empty_, "SELECT count(*) FROM ai_models"), "8");
    EXPECT_EQ(postgres().Query(empty_, "SELECT is_active FROM ai_models WHERE name = 'mock-fast'"),
              "f");
}

TEST_F(DataApiMigrationTest, StartingSeedsAFreshDatabaseAndMakesPartitions) {
    database_ = empty_;
    Start({{"DATA_API_SEED", "true"}});
    EXPECT_EQ(Json(client().Get("/models")).root().size(), 9U);
    // Yesterday to a week ahead, and the default one.
    EXPECT_EQ(
        Sql("SELECT count(*) FROM pg_inherits WHERE inhparent = 'request_outcomes'::regclass"),
        "10");
}

TEST_F(DataApiMigrationTest, StartingWithoutSeedsLeavesTheDatabaseUnseeded) {
    database_ = empty_;
    Start();
    EXPECT_EQ(Json(client().Get("/models")).root().size(), 0U);
    EXPECT_EQ(RunOnce("--seed-only", empty_), 0) << output_;
    EXPECT_EQ(Json(client().Get("/models")).root().size(), 9U);
}

TEST_F(DataApiMigrationTest, SeveralMayStartAtOnceOnAnEmptyDatabase) {
    Environment environment = BaseEnvironment();
    environment["DATABASE_URL"] = empty_;
    environment["DATA_API_SEED"] = "true";
    std::vector<std::unique_ptr<ProcessFixture>> processes;
    for (int i = 0; i < 4; ++i)
        processes.push_back(
            std::make_unique<ProcessFixture>(ProcessFixture::Spec{Program(), {}, environment}));
    for (const auto& process : processes) {
        EXPECT_TRUE(process->WaitForOutput("\"event\":\"database_up\"", std::chrono::seconds(60)))
            << process->output();
    }
    EXPECT_EQ(postgres().Query(empty_, "SELECT count(*) FROM ai_models"), "9");
    for (const auto& process : processes) EXPECT_EQ(process->Terminate(), 0) << process->output();
}

TEST_F(DataApiMigrationTest, AChangedMigrationIsRefused) {
    ASSERT_EQ(RunOnce("--migrate-only", empty_), 0) << output_;
    std::ofstream(folder_ + "/migrations/0001_models_history_outcomes.sql", std::ios::app)
        << "-- changed\n";
    EXPECT_EQ(RunOnce("--migrate-only", empty_), 1);
    EXPECT_NE(output_.find("was changed after it had been applied"), std::string::npos) << output_;
    database_ = empty_;
    Start({{"AIM_SQL_DIR", folder_}}, false);
    EXPECT_EQ(process_->WaitForExit(), 1) << process_->output();
}

TEST_F(DataApiMigrationTest, AFailingMigrationLeavesNothingBehind) {
    ASSERT_EQ(RunOnce("--migrate-only", empty_), 0) << output_;
    const std::string last = postgres().Query(empty_, "SELECT max(number) FROM schema_migrations");
    const std::string next = std::to_string(std::stoi(last) + 1);
    const std::string more = std::string(4 - next.size(), '0') + next + "_more";
    const std::string file = folder_ + "/migrations/" + more + ".sql";
    std::ofstream(file) << "CREATE TABLE half (a int);\nSELECT 1 / 0;\n";
    EXPECT_EQ(RunOnce("--migrate-only", empty_), 1);
    EXPECT_NE(output_.find(more), std::string::npos) << output_;
    EXPECT_EQ(postgres().Query(empty_, "SELECT to_regclass('half') IS NULL"), "t");
    std::ofstream(file) << "CREATE TABLE half (a int);\n";
    EXPECT_EQ(RunOnce("--migrate-only", empty_), 0) << output_;
    EXPECT_EQ(postgres().Query(empty_, "SELECT max(number) FROM schema_migrations"), next);
    // The older program does not run on the newer database.
    fs::remove(file);
    EXPECT_EQ(RunOnce("--migrate-only", empty_), 1);
    EXPECT_NE(output_.find("newer version"), std::string::npos) << output_;
}

// The day's counts go on over the upgrade that stopped counting them from the outcomes.
TEST_F(DataApiMigrationTest, OutcomesFromBeforeTheSlicesAreCounted) {
    for (const fs::directory_entry& file : fs::directory_iterator(folder_ + "/migrations")) {
        if (file.path().filename() > "0003") fs::remove(file);
    }
    ASSERT_EQ(RunOnce("--migrate-only", empty_), 0) << output_;
    postgres().Query(
        empty_,
        "INSERT INTO ai_models (name, provider, upstream_model) VALUES ('m', 'groq', 'm');"
        "INSERT INTO request_outcomes (id, model_id, outcome, counts, source, occurred_at)"
        " SELECT gen_random_uuid(), m.id, 'success', true, 'prompt', now() - n * interval '1 hour'"
        " FROM ai_models m, generate_series(1, 30) AS n");
    database_ = empty_;
    Start();
    const json::Document stats = Json(client().Get("/models/stats"));
    ASSERT_EQ(stats.root().size(), 1U);
    // That of 24 hours ago is still in the first slice, or just not.
    const std::int64_t counted = stats.root().At(0).Get("last_24h_requests").Int64Or(0);
    EXPECT_TRUE(counted == 23 || counted == 24) << counted;
}

}  // namespace
}  // namespace aim::data_api
