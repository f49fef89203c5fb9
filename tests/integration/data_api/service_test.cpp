#include <sstream>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>

#include "tests/integration/data_api/data_api_test_base.hpp"

namespace aim::data_api {
namespace {

using std::chrono::seconds;

TEST_F(DataApiTest, HealthReadyAndMetricsAreThere) {
    Start();
    const json::Document health = Json(client().Get("/health"));
    EXPECT_EQ(health.root().Get("status").StringOr(""), "ok");
    EXPECT_EQ(health.root().Get("service").StringOr(""), "aimanager_data_postgres_api");
    EXPECT_FALSE(health.root().Get("version").StringOr("").empty());
    const json::Document ready = Json(client().Get("/api/v1/ready"));
    EXPECT_EQ(ready.root().Get("status").StringOr(""), "ready");
    EXPECT_EQ(ready.root().Get("checks").Get("database").Get("status").StringOr(""), "up");
    const std::string id = AddModel("m");
    Ledger(Batch({Outcome(NewId(), id)}), 1, 0);
    const std::string metrics = client().Get("/metrics").body;
    EXPECT_NE(metrics.find("aimanager_data_api_ledger_records_total{result=\"applied\"} 1"),
              std::string::npos)
        << metrics;
    EXPECT_NE(metrics.find("aimanager_data_api_database_up 1"), std::string::npos);
    EXPECT_NE(metrics.find("/api/v1/ledger"), std::string::npos);
}

// Of the processes that serve it, by their ids.
std::vector<int> NicesOf(const std::string& ids) {
    std::vector<int> nices;
    std::istringstream lines(ids);
    for (id_t id = 0; lines >> id;) nices.push_back(::getpriority(PRIO_PROCESS, id));
    return nices;
}

TEST_F(DataApiTest, TheDatabasesProcessesGetTheConfiguredPriority) {
    constexpr const char* kBackends =
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'aimanager-data-api' AND "
        "datname = current_database()";
    Start({{"DATABASE_NICE", "7"}});
    EXPECT_EQ(client().Get("/models").status, 200);
    const std::vector<int> lowered = NicesOf(Sql(kBackends));
    EXPECT_FALSE(lowered.empty());
    EXPECT_THAT(lowered, ::testing::Each(7));
    process_.reset();
    Start({{"DATABASE_NICE", "0"}});
    EXPECT_EQ(client().Get("/models").status, 200);
    const std::vector<int> left = NicesOf(Sql(kBackends));
    EXPECT_FALSE(left.empty());
    EXPECT_THAT(left, ::testing::Each(::getpriority(PRIO_PROCESS, 0)));
}

TEST_F(DataApiTest, WhoOpensItToTheNetworkIsWarned) {
    Start({{"DATA_API_HOST", "0.0.0.0"}});
    EXPECT_TRUE(process_->WaitForOutput("open_to_the_network"));
    process_.reset();
    Start({{"DATA_API_HOST", "0.0.0.0"}, {"DATA_API_TOKEN", "a-token-of-this-test"}}, false);
    EXPECT_TRUE(process_->WaitForHttp(port_, "/ready"));
    EXPECT_EQ(process_->output().find("open_to_the_network"), std::string::npos);
}

TEST_F(DataApiTest, TheTokenProtectsAllButTheOpenPaths) {
    Start({{"DATA_API_TOKEN", "canary-token-123456"}});
    for (const char* path : {"/health", "/ready", "/metrics", "/api/v1/health"})
        EXPECT_EQ(client().Get(path).status, 200) << path;
    ExpectError(client().Get("/models"), 401, "missing_api_key");
    ExpectError(client().Post("/ledger", "{}"), 401, "missing_api_key");
    ExpectError(client().Get("/models", {{"X-API-Key", "wrong"}}), 401, "invalid_api_key");
    ExpectError(client().Get("/models", {{"Authorization", "Bearer wrong"}}), 401,
                "invalid_api_key");
    EXPECT_EQ(client().Get("/models", {{"X-API-Key", "canary-token-123456"}}).status, 200);
    EXPECT_EQ(client().Get("/models", {{"Authorization", "Bearer canary-token-123456"}}).status,
              200);
    const HttpAnswer secret =
        client().Get("/models?include=ciphertext", {{"X-API-Key", "canary-token-123456"}});
    EXPECT_EQ(secret.status, 200);
    EXPECT_EQ(process_->output().find("canary-token"), std::string::npos);
}

TEST_F(DataApiTest, PathsAndMethodsThatAreNotThereGetTheEnvelope) {
    Start();
    ExpectError(client().Get("/nothing"), 404, "not_found");
    ExpectError(client().Get("/api/v2/models"), 404, "not_found");
    const HttpAnswer answer = client().Request("PUT", "/models");
    ExpectError(answer, 405, "method_not_allowed");
    EXPECT_NE(answer.Header("Allow").find("POST"), std::string::npos);
    ExpectError(client().Request("GET", "/ledger"), 405, "method_not_allowed");
    ExpectError(client().Post("/ledger", std::string(9 * 1024 * 1024, ' ')), 413, "body_too_large");
    EXPECT_EQ(client().Get("/models", {{"X-Request-Id", "my-id"}}).Header("X-Request-Id"), "my-id");
    EXPECT_EQ(client().Get("/health").status, 200);
}

TEST_F(DataApiTest, SigtermFinishesWhatIsUnderWayAndExitsWithZero) {
    Start();
    const std::string id = AddModel("m");
    HttpTestClient idle = NewClient();
    EXPECT_EQ(idle.Get("/models").status, 200);
    // A request that is in the database when the signal comes.
    std::thread locker([&] {
        postgres().Query(database_,
                         "BEGIN; SELECT 1 FROM ai_models FOR UPDATE; SELECT pg_sleep(1); COMMIT");
    });
    process_->WaitUntil([&] {
        return postgres().Query(database_,
                                "SELECT count(*) FROM pg_stat_activity WHERE query LIKE "
                                "'%pg_sleep(1)%' AND pid <> pg_backend_pid()") == "1";
    });
    std::thread waiter([&] {
        EXPECT_EQ(NewClient().Post("/models/" + id + "/increment-success", "").status, 200);
    });
    process_->WaitUntil([&] {
        return postgres().Query(
                   database_,
                   "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") != "0";
    });
    process_->Signal(SIGTERM);
    waiter.join();
    locker.join();
    EXPECT_EQ(process_->WaitForExit(seconds(12)), 0) << process_->output();
    EXPECT_TRUE(idle.WaitForClose(seconds(1)));
    EXPECT_NE(process_->output().find("\"event\":\"stopped\""), std::string::npos);
    EXPECT_EQ(Sql("SELECT total_requests FROM ai_models"), "1");
}

TEST_F(DataApiTest, EveryLogLineIsAJsonObject) {
    Start({{"LOG_LEVEL", "DEBUG"}});
    AddModel("m");
    EXPECT_EQ(process_->Terminate(), 0);
    const std::string text = process_->output();
    std::string_view output = text;
    int lines = 0;
    while (!output.empty()) {
        const std::string_view line = output.substr(0, output.find('\n'));
        output.remove_prefix(std::min(line.size() + 1, output.size()));
        const auto document = json::Parse(line);
        ASSERT_TRUE(document) << line;
        for (const char* field : {"timestamp", "level", "service", "event", "message"})
            EXPECT_TRUE(document->root().Get(field).exists()) << line;
        ++lines;
    }
    EXPECT_GT(lines, 4);
}

TEST_F(DataApiTest, AllErrorsOfAConfigurationAreSaidAtOnce) {
    Environment environment = {{"DATABASE_URL", "postgresql://u:canary-password@/db?nonsense=1"},
                               {"DATA_API_PORT", "70000"},
                               {"DATA_API_THREADS", "0"},
                               {"LOG_LEVEL", "LOUD"},
                               {"AIM_SQL_DIR", "/nonexistent"}};
    ProcessFixture wrong({Program(), {}, environment});
    EXPECT_EQ(wrong.WaitForExit(), 2);
    ASSERT_TRUE(wrong.WaitForOutput("AIM_SQL_DIR"));
    for (const char* name :
         {"DATABASE_URL", "DATA_API_PORT", "DATA_API_THREADS", "LOG_LEVEL", "AIM_SQL_DIR"}) {
        EXPECT_NE(wrong.output().find(name), std::string::npos) << name;
    }
    EXPECT_EQ(wrong.output().find("canary-password"), std::string::npos);
    ProcessFixture none({Program(), {}, {}});
    EXPECT_EQ(none.WaitForExit(), 2);
    ProcessFixture argument({Program(), {"--nonsense"}, BaseEnvironment()});
    EXPECT_EQ(argument.WaitForExit(), 2);
}

TEST_F(DataApiTest, ATakenPortEndsTheStart) {
    Start();
    Environment environment = BaseEnvironment();
    environment["DATA_API_PORT"] = std::to_string(port_);
    ProcessFixture second({Program(), {}, environment});
    EXPECT_EQ(second.WaitForExit(), 1);
    EXPECT_TRUE(second.WaitForOutput("listen_failed"));
}

TEST_F(DataApiTest, ADriverInTheUrlAndSeparateVariablesBothWork) {
    const std::string with_driver =
        "postgresql+asyncpg" + database_.substr(std::string("postgresql").size());
    Start({{"DATABASE_URL", with_driver}});
    EXPECT_EQ(client().Get("/models").status, 200);
    const std::size_t slash = database_.find("@/") + 2;
    const std::size_t question = database_.find('?');
    const std::string name = database_.substr(slash, question - slash);
    const std::string host = database_.substr(question + 6, database_.find('&') - question - 6);
    Start({{"DATABASE_URL", ""},
           {"POSTGRES_HOST", host},
           {"POSTGRES_DB", name},
           {"POSTGRES_USER", "aim"}});
    EXPECT_EQ(client().Get("/models").status, 200);
}

}  // namespace
}  // namespace aim::data_api
