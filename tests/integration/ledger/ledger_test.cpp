// The ledger's promises one by one, through real processes.
#include <fstream>

#include <sys/mount.h>
#include <unistd.h>

#include "tests/integration/ledger/chaos_run.hpp"

namespace aim::gateway {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

HttpAnswer Ask(const Service& business, const std::string& id,
               const std::string& prompt = "count me") {
    const HttpHeaders headers = {{"X-API-Key", std::string(kCallerKey)}, {"X-Request-Id", id}};
    return business.Client().Post("/api/v1/prompts", "{\"prompt\":" + Quote(prompt) + "}", headers);
}

std::string StatusOf(const Service& business) {
    return std::string(
        Json(business.Client().Get("/ready").body).root().Get("status").StringOr(""));
}

TEST_F(LedgerTest, WhatAnEndingProcessCouldNotDeliverGoesOutAtTheNextStart) {
    auto data_api = std::make_unique<Service>(DataApi());
    auto business = std::make_unique<Service>(BusinessApi());
    ASSERT_TRUE(Eventually([&] { return fs::exists(state_.path() / "catalogue.json"); }));
    data_api->process->Kill();
    std::vector<std::string> ids;
    const auto ask = [&](int count) {
        for (int i = 0; i < count; ++i) {
            ids.push_back("term-" + std::to_string(ids.size()));
            EXPECT_EQ(Ask(*business, ids.back()).status, 200);
        }
    };
    ask(5);
    EXPECT_EQ(business->process->Terminate(), 0);
    EXPECT_NE(business->process->output().find("\"ledger_kept\""), std::string::npos);
    EXPECT_EQ(business->process->output().find("ledger_lost"), std::string::npos);
    // Up again, with nothing but the copy of the catalogue; and once more.
    business = std::make_unique<Service>(BusinessApi());
    EXPECT_NE(business->process->output().find("\"ledger_replayed\""), std::string::npos);
    ask(5);
    business->process->Kill();
    business = std::make_unique<Service>(BusinessApi());
    EXPECT_EQ(MetricOf(*business, "aimanager_ledger_replayed_total"), "20");
    EXPECT_TRUE(Eventually([&] { return StatusOf(*business) == "degraded"; }));
    data_api = std::make_unique<Service>(DataApi());
    AwaitDelivery(*business);
    for (const std::string& id : ids) {
        EXPECT_EQ(Sql("SELECT count(*) FROM prompt_history WHERE request_id = '" + id + "'"), "1");
        EXPECT_EQ(Sql("SELECT count(*) FROM request_outcomes WHERE request_id = '" + id + "'"),
                  "1");
    }
    EXPECT_EQ(Sql("SELECT total_requests FROM ai_models WHERE id = '" + model_id_ + "'"), "10");
    EXPECT_TRUE(Eventually([&] { return StatusOf(*business) == "ready"; }));
}

TEST_F(LedgerTest, AFullLedgerRefusesNewPromptsUntilTheDataApiIsBack) {
    auto data_api = std::make_unique<Service>(DataApi());
    const Service business = BusinessApi({{"LEDGER_MAX_BYTES", "65536"}});
    data_api->process->Kill();
    HttpAnswer answer;
    int answered = 0;
    for (; answered < 1000; ++answered) {
        answer = Ask(business, "full-" + std::to_string(answered));
        if (answer.status != 200) break;
    }
    ExpectNative(answer, 503, "ledger_full");
    EXPECT_FALSE(answer.Header("Retry-After").empty());
    EXPECT_GT(answered, 20);
    const HttpAnswer ready = business.Client().Get("/ready");
    EXPECT_EQ(ready.status, 503);
    EXPECT_EQ(Json(ready.body).root().Get("checks").Get("ledger").Get("status").StringOr(""),
              "down");
    EXPECT_NE(MetricOf(business, "aimanager_prompts_refused_total{reason=\"ledger_full\"}"), "0");
    data_api = std::make_unique<Service>(DataApi());
    AwaitDelivery(business);
    EXPECT_EQ(Ask(business, "full-again").status, 200);
    AwaitDelivery(business);
    EXPECT_EQ(Sql("SELECT count(*) FROM prompt_history WHERE request_id LIKE 'full-%'"),
              std::to_string(answered + 1));
}

TEST_F(LedgerTest, ASecondProcessOnTheSameStateFolderIsRefused) {
    Service data_api = DataApi();
    const Service business = BusinessApi();
    ProcessFixture second({std::string(AIM_BINARY_DIR) + "/bin/aimanager-business-api",
                           {},
                           {{"BUSINESS_API_PORT", "0"},
                            {"DATA_API_URL", "http://127.0.0.1:" + std::to_string(data_port_)},
                            {"API_KEY", std::string(kCallerKey)},
                            {"AIM_STATE_DIR", state_.path().string()},
                            {"PLUGIN_PATH", AIM_BINARY_DIR "/plugins"}}});
    EXPECT_EQ(second.WaitForExit(seconds(30)), 1);
    EXPECT_NE(second.output().find("another process uses the ledger"), std::string::npos)
        << second.output();
    EXPECT_EQ(Ask(business, "second-1").status, 200);
}

// Outcomes of a model that is gone can never be counted; the prompts before and after them can.
TEST_F(LedgerTest, PoisonIsBuriedAloneAndTheRestArrives) {
    auto data_api = std::make_unique<Service>(DataApi());
    const Service business = BusinessApi();
    ASSERT_TRUE(Eventually([&] { return fs::exists(state_.path() / "catalogue.json"); }));
    data_api->process->Kill();
    EXPECT_EQ(Ask(business, "poison-1").status, 200);
    EXPECT_EQ(Ask(business, "poison-nul", "a\\u0000b").status, 200);
    EXPECT_EQ(Ask(business, "poison-surrogate", "a\\ud800b").status, 400);
    std::string controls;
    for (int i = 0; i < 900'000; ++i) controls += "\\u0001";
    EXPECT_EQ(Ask(business, "poison-controls", controls).status, 200);
    EXPECT_EQ(Ask(business, "poison-huge", std::string(31u << 20, 'h')).status, 400);
    Sql("DELETE FROM ai_models WHERE id = '" + model_id_ + "'");
    data_api = std::make_unique<Service>(DataApi());
    AwaitDelivery(business);
    EXPECT_EQ(Sql("SELECT string_agg(request_id, ',' ORDER BY request_id) FROM prompt_history "
                  "WHERE request_id LIKE 'poison-%' AND status = 'success'"),
              "poison-1,poison-controls,poison-nul");
    EXPECT_EQ(Sql("SELECT prompt_text FROM prompt_history WHERE request_id = 'poison-nul'"),
              "a\uFFFDb");
    EXPECT_EQ(Sql("SELECT octet_length(prompt_text) <= 262144 AND prompt_text LIKE '%[cut, 900000 "
                  "bytes]' FROM prompt_history WHERE request_id = 'poison-controls'"),
              "t");
    EXPECT_EQ(Sql("SELECT count(*) FROM request_outcomes WHERE request_id LIKE 'poison-%'"), "0");
    EXPECT_EQ(MetricOf(business, "aimanager_ledger_rejected_total"), "3");
    std::ifstream letters(state_.path() / "ledger" / "dead-letters.jsonl");
    int lines = 0;
    for (std::string line; std::getline(letters, line); ++lines)
        EXPECT_NE(line.find("there is no model"), std::string::npos) << line;
    EXPECT_EQ(lines, 3);
}

TEST_F(LedgerTest, AFullDiskDegradesAndHeals) {
    const fs::path disk = state_.path();
    if (::geteuid() != 0 || ::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=24m") != 0)
        GTEST_SKIP() << "mounting a small file system needs root";
    struct Unmount {
        fs::path path;
        ~Unmount() { ::umount2(path.c_str(), MNT_DETACH); }
    } const unmount{disk};
    Service data_api = DataApi();
    // Less is left than a segment takes, but enough for the private copy of one plugin.
    std::ofstream(disk / "ballast") << std::string(17u << 20, 'b');
    const TemporaryFolder plugins;
    fs::copy_file(AIM_BINARY_DIR "/plugins/groq.so", plugins.path() / "groq.so");
    const Environment one_plugin = {{"PLUGIN_PATH", plugins.path().string()}};
    auto business = std::make_unique<Service>(BusinessApi(one_plugin));
    EXPECT_EQ(StatusOf(*business), "degraded") << business->Client().Get("/ready").body;
    EXPECT_EQ(MetricOf(*business, "aimanager_ledger_degraded"), "1");
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(Ask(*business, "disk-a" + std::to_string(i)).status, 200);
    AwaitDelivery(*business);  // from memory
    data_api.process->Kill();
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(Ask(*business, "disk-b" + std::to_string(i)).status, 200);
    EXPECT_EQ(MetricOf(*business, "aimanager_ledger_memory_records"), "20");
    fs::remove(disk / "ballast");
    EXPECT_TRUE(Eventually([&] {
        return MetricOf(*business, "aimanager_ledger_memory_records") == "0" &&
               MetricOf(*business, "aimanager_ledger_degraded") == "0";
    }));
    business->process->Kill();  // they are on the disk now
    business = std::make_unique<Service>(BusinessApi(one_plugin));
    const Service again = DataApi();
    AwaitDelivery(*business);
    EXPECT_EQ(
        Sql("SELECT count(DISTINCT request_id), count(*) FROM prompt_history WHERE request_id "
            "LIKE 'disk-%'"),
        "20|20");
    business->process->Kill();
}

TEST_F(LedgerTest, UnderAlwaysEveryAnswerWaitsForItsSync) {
    Service data_api = DataApi();
    const Service business = BusinessApi({{"LEDGER_FSYNC", "always"}});
    for (int i = 0; i < 20; ++i)
        EXPECT_EQ(Ask(business, "always-" + std::to_string(i)).status, 200);
    EXPECT_GE(std::atoi(MetricOf(business, "aimanager_ledger_fsync_seconds_count").c_str()), 20);
    EXPECT_EQ(MetricOf(business, "aimanager_ledger_unsynced_answers_total"), "0");
    AwaitDelivery(business);
}

}  // namespace
}  // namespace aim::gateway
