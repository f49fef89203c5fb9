#include <csignal>

#include "tests/integration/health_worker/worker_process.hpp"

namespace aim::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class HealthWorkerTest : public GatewayTest {
  protected:
    Worker Start(const Environment& more = {}) {
        return Worker(stack().state.path(), stack().data_api.port, more);
    }
    // With settings, or switched off; not awaited in the business API.
    std::string Insert(const std::string& members) {
        const HttpAnswer answer = data().Post("/api/v1/models", "{" + members + "}");
        EXPECT_EQ(answer.status, 201) << answer.body;
        return std::string(Json(answer.body).root().Get("id").StringOr(""));
    }
    std::string OfFake(const std::string& name, const std::string& more = "") {
        return R"("name":)" + Quote(name) + R"(,"provider":"groq","endpoint":)" +
               Quote(provider().url()) + more;
    }
    // "success|probe|true": the one outcome of a model, once it is delivered.
    std::string Outcome(const std::string& model_id) {
        std::string rows;
        Eventually(
            [&] {
                rows =
                    Sql("SELECT outcome, source, counts FROM request_outcomes WHERE model_id = '" +
                        model_id + "'");
                return !rows.empty();
            },
            seconds(30));
        return rows;
    }
    std::size_t Outcomes(const std::string& model_id) {
        return std::stoul(
            Sql("SELECT count(*) FROM request_outcomes WHERE model_id = '" + model_id + "'"));
    }
    static void ExpectNoKeys(const Worker& worker) {
        EXPECT_EQ(worker.output().find(kCanary), std::string::npos);
    }
};

std::int64_t Number(const json::Document& line, std::string_view name) {
    return line.root().Get(name).Int64Or(-1);
}

TEST_F(HealthWorkerTest, TheFirstRoundProbesEveryActiveModelAtStart) {
    const std::string good = Insert(OfFake("good"));
    const std::string capped =
        Insert(OfFake("capped", R"(,"settings":{"health_check_max_tokens":5})"));
    const std::string bad = Insert(OfFake("bad"));
    const std::string off = Insert(OfFake("off", R"(,"settings":{"health_check":false})"));
    const std::string inactive = Insert(OfFake("inactive", R"(,"is_active":false)"));
    const std::string mocked = Insert(R"("name":"mocked","provider":"cerebras")");
    const std::string no_key = Insert(R"("name":"no-key","provider":"sambanova")");
    const std::string orphan = Insert(R"("name":"orphan","provider":"nobody")");
    // It says the key again, as some do.
    provider().Script("bad", R"([{"status":401,"body":{"error":{"message":"Invalid key )" +
                                 std::string(kCanary) + R"("}}}])");
    Worker worker = Start({{"CEREBRAS_API_KEY", "mock"}, {"SYNTHETIC_TEST_PROMPT", "Are you up?"}});
    ASSERT_TRUE(worker.AwaitRounds(1)) << worker.output();

    // A line a model, and a summary.
    const auto summary = std::move(worker.Events("health_round_finished").front());
    EXPECT_EQ(Number(summary, "models"), 7);
    EXPECT_EQ(Number(summary, "answered"), 3);
    EXPECT_EQ(Number(summary, "failed"), 1);
    EXPECT_EQ(Number(summary, "skipped"), 3);
    EXPECT_EQ(worker.Events("health_check").size(), 4U);
    EXPECT_EQ(worker.Events("health_check_skipped").size(), 3U);
    for (const char* name : {"good", "capped", "mocked"}) {
        const json::Document line = worker.Line("health_check", name);
        EXPECT_TRUE(line.root().Get("success").BoolOr(false)) << name;
        EXPECT_GE(Number(line, "response_time_ms"), 0) << name;
    }
    const json::Document failure = worker.Line("health_check", "bad");
    EXPECT_FALSE(failure.root().Get("success").BoolOr(true));
    EXPECT_EQ(failure.root().Get("outcome").StringOr(""), "unauthenticated");
    EXPECT_EQ(Number(failure, "upstream_status"), 401);
    const auto reason = [&](const char* model) {
        return std::string(
            worker.Line("health_check_skipped", model).root().Get("reason").StringOr(""));
    };
    EXPECT_NE(reason("off").find("health_check"), std::string::npos) << reason("off");
    EXPECT_NE(reason("no-key").find("SAMBANOVA_API_KEY"), std::string::npos) << reason("no-key");
    EXPECT_NE(reason("orphan").find("nobody"), std::string::npos) << reason("orphan");

    // What the provider saw.
    EXPECT_EQ(RequestsFor("good"), 1U);
    EXPECT_EQ(RequestsFor("off"), 0U);
    EXPECT_EQ(RequestsFor("inactive"), 0U);
    for (const RecordedRequest& request : provider().Requests()) {
        const json::Document body = Json(request.body);
        const bool is_capped = body.root().Get("model").StringOr("") == "capped";
        EXPECT_EQ(body.root()
                      .Get("max_tokens")
                      .Int64Or(body.root().Get("max_completion_tokens").Int64Or(0)),
                  is_capped ? 5 : 16)
            << request.body;
        EXPECT_NE(request.body.find("Are you up?"), std::string::npos);
        EXPECT_FALSE(body.root().Get("stream").BoolOr(false));
    }

    // What the database knows: outcomes of source probe, counters, no history.
    EXPECT_EQ(Outcome(good), "success|probe|t");
    EXPECT_EQ(Outcome(capped), "success|probe|t");
    EXPECT_EQ(Outcome(mocked), "success|probe|t");
    EXPECT_EQ(Outcome(bad), "unauthenticated|probe|t");
    for (const std::string& id : {off, inactive, no_key, orphan}) EXPECT_EQ(Outcomes(id), 0U);
    const json::Document row = Json(data().Get("/models/" + good).body);
    EXPECT_EQ(row.root().Get("total_requests").Int64Or(-1), 1);
    EXPECT_TRUE(row.root().Get("last_success_at").IsString());
    EXPECT_EQ(Sql("SELECT count(*) FROM prompt_history WHERE prompt_text = 'Are you up?'"), "0");

    HttpTestClient client(worker.Port());
    const HttpAnswer health = client.Get("/health");
    EXPECT_EQ(health.status, 200);
    EXPECT_NE(health.body.find("\"aimanager_health_worker\""), std::string::npos);
    EXPECT_EQ(client.Get("/ready").status, 200);
    const std::string metrics = client.Get("/metrics").body;
    for (const char* line :
         {"aimanager_health_rounds_total 1", "aimanager_health_probes_total{result=\"answered\"} 3",
          "aimanager_health_probes_total{result=\"failed\"} 1",
          "aimanager_health_probes_total{result=\"skipped\"} 3",
          "aimanager_health_interval_seconds 3600"}) {
        EXPECT_NE(metrics.find(line), std::string::npos) << line;
    }
    EXPECT_EQ(worker.process().Terminate(), 0);
    ExpectNoKeys(worker);
}

TEST_F(HealthWorkerTest, AParkedModelThatComesBackIsUsedAgain) {
    AddModel("comes-back");
    provider().Script("comes-back", R"([{"status":401}])");
    EXPECT_EQ(Prompt(R"("prompt":"x","model":"comes-back","fallback":false)").status, 502);
    EXPECT_EQ(StateOf("comes-back"), "parked");
    Worker worker = Start({{"HEALTH_CHECK_INTERVAL", "1"}});
    // Parked models are probed too; this one fails as long as its key is bad.
    ASSERT_TRUE(worker.AwaitRounds(1)) << worker.output();
    EXPECT_EQ(StateOf("comes-back"), "parked");
    provider().Script("comes-back", R"([{"text":"OK"}])");
    // Five minutes by itself.
    EXPECT_TRUE(Eventually([&] { return StateOf("comes-back") == "available"; }, seconds(30)))
        << StateOf("comes-back") << worker.output();
    EXPECT_EQ(Prompt(R"("prompt":"x","model":"comes-back","fallback":false)").status, 200);
    EXPECT_EQ(worker.process().Terminate(), 0);
    ExpectNoKeys(worker);
}

TEST_F(HealthWorkerTest, WithoutADataApiItWaitsForOne) {
    const std::string id = AddModel("waiting");
    const std::uint16_t port = test::FreePort();
    Worker worker(stack().state.path(), port);
    HttpTestClient client(worker.Port());
    ASSERT_TRUE(worker.process().WaitForOutput("\"event\":\"data_api_away\"", seconds(30)));
    EXPECT_EQ(client.Get("/health").status, 200);
    EXPECT_EQ(client.Get("/ready").status, 503);
    EXPECT_TRUE(worker.Events("health_round_started").empty());
    EXPECT_EQ(RequestsFor("waiting"), 0U);
    Service data_api = StartDataApi(stack().database, port);
    ASSERT_TRUE(worker.AwaitRounds(1)) << worker.output();
    EXPECT_EQ(Outcome(id), "success|probe|t");
    EXPECT_TRUE(worker.process().WaitForHttp(worker.Port(), "/ready", seconds(30)));
    EXPECT_EQ(worker.process().Terminate(), 0);
    EXPECT_EQ(data_api.process->Terminate(), 0);
}

TEST_F(HealthWorkerTest, ARoundThatTakesTooLongIsNotOvertakenByTheNext) {
    AddModel("slow");
    provider().Script("slow", R"([{"delay_before_head_ms":1300,"text":"OK"}])");
    Worker worker = Start({{"HEALTH_CHECK_INTERVAL", "1"}});
    ASSERT_TRUE(worker.AwaitRounds(2)) << worker.output();
    EXPECT_EQ(worker.process().Terminate(), 0);
    // The grid moment that passed during the first round is told and left out.
    ASSERT_GE(worker.Events("health_rounds_missed").size(), 1U) << worker.output();
    EXPECT_GE(Number(worker.Events("health_rounds_missed").front(), "rounds"), 1);
    // Never two at once: each start follows an end.
    bool running = false;
    std::size_t rounds = 0;
    const std::string output = worker.output();
    for (std::size_t at = output.find("\"health_round_"); at != std::string::npos;
         at = output.find("\"health_round_", at + 1)) {
        const bool starts = output.compare(at, 22, "\"health_round_started\"") == 0;
        EXPECT_NE(running, starts);
        running = starts;
        ++rounds;
    }
    EXPECT_GE(rounds, 4U);
    EXPECT_FALSE(running);
}

TEST_F(HealthWorkerTest, SigtermLetsTheProbesUnderWayFinish) {
    const std::string id = AddModel("finishing");
    provider().Script("finishing", R"([{"delay_before_head_ms":1200,"text":"OK"}])");
    Worker worker = Start();
    ASSERT_TRUE(worker.process().WaitUntil([&] { return RequestsFor("finishing") == 1; }))
        << worker.output();
    EXPECT_EQ(worker.process().Terminate(), 0);
    const auto rounds = worker.Events("health_round_finished");
    ASSERT_EQ(rounds.size(), 1U) << worker.output();
    EXPECT_EQ(Number(rounds.front(), "answered"), 1);
    EXPECT_EQ(Outcome(id), "success|probe|t");
}

TEST_F(HealthWorkerTest, AProbeThatIsCutAtTheEndOfTheDrainCountsForNothing) {
    const std::string id = AddModel("hanging");
    provider().Script("hanging", R"([{"never_answer":true}])");
    Worker worker = Start({{"DRAIN_TIMEOUT_MS", "200"}});
    ASSERT_TRUE(worker.process().WaitUntil([&] { return RequestsFor("hanging") == 1; }))
        << worker.output();
    EXPECT_EQ(worker.process().Terminate(), 0);
    EXPECT_EQ(worker.Events("drain_cut").size(), 1U);
    const auto rounds = worker.Events("health_round_finished");
    ASSERT_EQ(rounds.size(), 1U) << worker.output();
    EXPECT_EQ(Number(rounds.front(), "cancelled"), 1);
    EXPECT_EQ(Outcomes(id), 0U);
}

TEST_F(HealthWorkerTest, AnEmptyCatalogueIsARoundToo) {
    Worker worker = Start();
    ASSERT_TRUE(worker.AwaitRounds(1)) << worker.output();
    EXPECT_EQ(Number(worker.Events("health_round_finished").front(), "models"), 0);
    EXPECT_EQ(worker.process().Terminate(), 0);
}

TEST_F(HealthWorkerTest, AWrongConfigurationIsToldAtOnceWithStatusTwo) {
    Worker worker =
        Start({{"HEALTH_CHECK_INTERVAL", "soon"}, {"HEALTH_WORKER_PORT", std::string(kCanary)}});
    EXPECT_EQ(worker.process().WaitForExit(), 2);
    EXPECT_NE(worker.output().find("HEALTH_CHECK_INTERVAL"), std::string::npos);
    EXPECT_NE(worker.output().find("HEALTH_WORKER_PORT"), std::string::npos);
    ExpectNoKeys(worker);
}

}  // namespace
}  // namespace aim::gateway
