// Plugins that misbehave in a running gateway: it goes on, counts, falls back, and takes them out.
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/gateway/plugin_files.hpp"

namespace aim::gateway {
namespace {

namespace fs = std::filesystem;

struct Misdeed {
    const char* plugin;
    const char* kind;
    bool answers;  // what it says is still an answer
};

void PrintTo(const Misdeed& misdeed, std::ostream* out) { *out << misdeed.plugin; }

// The sixth session is for those that are only watched after the first.
constexpr int kEnough = 6;

class ContainmentTest : public GatewayTest {
  protected:
    std::string Metrics() { return business().Get("/metrics").body; }
    double Metric(const std::string& line) {
        const std::string page = Metrics();
        const std::size_t at = page.find("\n" + line + " ");
        return at == std::string::npos ? -1
                                       : std::strtod(page.c_str() + at + line.size() + 2, nullptr);
    }
    // The row "bad", whose calls last for as long as the file `hold` is there.
    void AddHoldingRow(const fs::path& hold) {
        const HttpAnswer row =
            data().Post("/api/v1/models",
                        R"({"name":"bad","upstream_model":"misbehave","provider":"runtime_holds",)"
                        R"("endpoint":)" +
                            Quote("http://127.0.0.1:9" + hold.string()) + "}");
        ASSERT_EQ(row.status, 201) << row.body;
    }
    // A row of this provider that needs nobody else; its id.
    std::string AddRow(const std::string& name, const std::string& provider_id,
                       const std::string& more) {
        const HttpAnswer row = data().Post(
            "/api/v1/models", "{\"name\":" + Quote(name) + ",\"provider\":" + Quote(provider_id) +
                                  ",\"endpoint\":\"http://127.0.0.1:9\"," + more + "}");
        EXPECT_EQ(row.status, 201) << row.body;
        return std::string(Json(row.body).root().Get("id").StringOr(""));
    }
};

class PluginContainmentTest : public ContainmentTest,
                              public ::testing::WithParamInterface<Misdeed> {};

TEST_P(PluginContainmentTest, FallsBackAndIsQuarantinedUntilARescan) {
    const Misdeed& misdeed = GetParam();
    const std::string id = misdeed.plugin;
    const std::string kind_line =
        std::string(R"(aimanager_plugin_misbehaviours_total{kind=")") + misdeed.kind + R"("})";
    PluginFile file(stack().state.path() / "plugins" / (id + ".so"));
    file.MoveIn(FixtureBytes(id));
    // The row's upstream model is what makes it misbehave.
    AddRow("bad", id, R"("upstream_model":"misbehave")");
    ASSERT_TRUE(Eventually([&] { return StateOf("bad") == "available"; })) << StateOf("bad");
    AddModel("spare");
    const double counted = Metric(kind_line);
    ASSERT_GE(counted, 0) << Metrics();

    for (int i = 0; i < kEnough; ++i) {
        const HttpAnswer answer = Prompt(R"("prompt":"x","model":"bad")");
        ASSERT_EQ(answer.status, 200) << answer.body;
    }
    ASSERT_TRUE(Eventually([&] { return StateOf("bad") == "no_plugin"; }));
    EXPECT_EQ(ReasonFor(business(), id + ".so"), "quarantined");
    EXPECT_GE(Metric(kind_line), counted + 5);
    EXPECT_NE(business().Get("/ready").body.find("quarantined"), std::string::npos);
    EXPECT_NE(business().Get("/api/v1/models").body.find(misdeed.kind), std::string::npos);
    // Named, it is not tried any more; with a fallback another model answers.
    EXPECT_EQ(Prompt(R"("prompt":"x","model":"bad","fallback":false)").status, 503);
    const HttpAnswer other = Prompt(R"("prompt":"x","model":"bad")");
    EXPECT_EQ(other.Header("X-AIManager-Model"), "spare") << other.body;

    EXPECT_EQ(business().Post("/api/v1/plugins/rescan", "", Key()).status, 200);
    EXPECT_EQ(ReasonFor(business(), id + ".so"), "");
    ASSERT_TRUE(Eventually([&] { return StateOf("bad") == "available"; }));
    const HttpAnswer again = Prompt(R"("prompt":"x","model":"bad","fallback":false)");
    EXPECT_EQ(again.status, misdeed.answers ? 200 : 502) << again.body;
    if (misdeed.answers)
        EXPECT_EQ(Json(again.body).root().Get("response").StringOr(""), "fine") << again.body;
}

// A plugin that throws while its provider objects are made is as guilty as one that throws later,
// and the rows beside it are served meanwhile.
TEST_F(ContainmentTest, ThrowingOutOfCreateIsCountedAndLeadsToQuarantine) {
    constexpr const char* kId = "runtime_create_throws";
    const std::string kind_line = R"(aimanager_plugin_misbehaviours_total{kind="exception"})";
    PluginFile file(stack().state.path() / "plugins" / "runtime_create_throws.so");
    file.MoveIn(FixtureBytes(kId));
    AddRow("fine", kId, R"("settings":{})");
    ASSERT_TRUE(Eventually([&] { return StateOf("fine") == "available"; })) << StateOf("fine");
    AddModel("spare");
    const double counted = Metric(kind_line);
    ASSERT_GE(counted, 0) << Metrics();
    const auto exceptions = [&] {
        const json::Document plugin = PluginReport(business(), "loaded", kId);
        return plugin.root().Get("misbehaviour").Get("exception").Int64Or(-1);
    };
    const std::int64_t known = exceptions();
    ASSERT_GE(known, 0);

    // Each row is one call of create, not one a refresh.
    std::vector<std::string> rows = {AddRow("bad-0", kId, R"("settings":{"do":"misbehave"})")};
    ASSERT_TRUE(Eventually([&] { return StateOf("bad-0") == "not_configured"; }));
    EXPECT_NE(business().Get("/api/v1/models").body.find("threw out of create"), std::string::npos);
    EXPECT_EQ(Metric(kind_line), counted + 1);
    EXPECT_EQ(exceptions(), known + 1);
    EXPECT_EQ(Prompt(R"("prompt":"x","model":"fine","fallback":false)").status, 200);
    for (int i = 1; i < 5; ++i)
        rows.push_back(AddRow("bad-" + std::to_string(i), kId, R"("settings":{"do":"misbehave"})"));
    ASSERT_TRUE(Eventually(
        [&] { return ReasonFor(business(), "runtime_create_throws.so") == "quarantined"; }));
    ASSERT_TRUE(Eventually([&] { return StateOf("fine") == "no_plugin"; })) << StateOf("fine");
    EXPECT_EQ(Metric(kind_line), counted + 5);
    EXPECT_NE(business().Get("/ready").body.find("exception " + std::to_string(known + 5)),
              std::string::npos);
    const HttpAnswer other = Prompt(R"("prompt":"x","model":"fine")");
    EXPECT_EQ(other.status, 200) << other.body;
    EXPECT_EQ(other.Header("X-AIManager-Model"), "spare") << other.body;

    // With the rows repaired a rescan brings it back.
    for (const std::string& row : rows) {
        const HttpAnswer patched =
            data().Request("PATCH", "/api/v1/models/" + row, R"({"settings":{"do":null}})");
        ASSERT_EQ(patched.status, 200) << patched.body;
    }
    ASSERT_TRUE(Eventually([&] {
        // The business API has the repaired rows when its copy of the last one has.
        return business().Post("/api/v1/plugins/rescan", "", Key()).status == 200 &&
               StateOf("fine") == "available" && StateOf("bad-4") == "available";
    }));
    EXPECT_EQ(Prompt(R"("prompt":"x","model":"bad-4","fallback":false)").status, 200);
}

// A call that never returns cannot be interrupted. It is told who holds which loop, the others
// serve on, and the plugin gets no further one.
TEST_F(ContainmentTest, CallThatDoesNotReturnIsNamedAndItsPluginIsTakenOut) {
    constexpr const char* kId = "runtime_holds";
    const TemporaryFolder state;
    const fs::path hold = state.path() / "hold";
    { std::ofstream held(hold); }
    const Service service =
        StartBusinessApi(state.path(), stack().data_api.port, {{"ENGINE_THREADS", "4"}});
    // A new connection falls to any of the loops, and the one that stands still answers nobody.
    const auto get = [&](const std::string& path, const std::string& wanted) {
        return Eventually(
            [&] {
                HttpTestClient client = service.Client(std::chrono::seconds(2));
                return client.Get(path, Key()).body.find(wanted) != std::string::npos;
            },
            std::chrono::seconds(60));
    };
    PluginFile file(state.path() / "plugins" / "runtime_holds.so");
    file.MoveIn(FixtureBytes(kId));
    AddHoldingRow(hold);
    AddModel("spare");
    ASSERT_TRUE(Eventually([&] {
        const json::Document models = Json(service.Client().Get("/api/v1/models").body);
        for (const auto& [key, model] : models.root()) {
            if (model.Get("name").StringOr("") == "bad")
                return model.Get("state").StringOr("") == "available";
        }
        return false;
    }));
    ASSERT_TRUE(get("/ready", R"("loops":{"status":"up")"));
    const auto ask = [&](const std::string& model, std::chrono::seconds limit) {
        HttpTestClient client = service.Client(limit);
        return client.Post("/api/v1/prompts",
                           R"({"prompt":"x","fallback":false,"model":")" + model + "\"}", Key());
    };
    ASSERT_TRUE(Eventually([&] { return ask("spare", std::chrono::seconds(20)).status == 200; }));

    HttpAnswer held_up;
    std::thread caller([&] { held_up = ask("bad", std::chrono::seconds(120)); });
    const auto said = [&](const std::string& event) {
        return service.process->WaitUntil(
            [&] {
                const std::string output = service.process->output();
                const std::size_t at = output.find("\"event\":\"" + event + "\"");
                return at != std::string::npos &&
                       output.substr(at, output.find('\n', at) - at).find(kId) != std::string::npos;
            },
            std::chrono::seconds(60));
    };
    if (!said("loop_stalled")) {
        fs::remove(hold);
        caller.join();
        FAIL() << held_up.status << " " << held_up.body << service.process->output();
    }
    EXPECT_TRUE(get("/ready", " s in the plugin runtime_holds"));
    EXPECT_TRUE(get("/ready", R"("status":"degraded")"));
    EXPECT_TRUE(get("/metrics", "\naimanager_loops_stalled 1\n"));
    EXPECT_TRUE(Eventually([&] { return ask("spare", std::chrono::seconds(2)).status == 200; },
                           std::chrono::seconds(60)));
    EXPECT_TRUE(said("plugin_quarantined"));
    EXPECT_TRUE(get("/api/v1/models", "has not come back"));

    fs::remove(hold);
    caller.join();
    EXPECT_EQ(held_up.status, 200) << held_up.body;
    EXPECT_TRUE(said("loop_resumed"));
    EXPECT_TRUE(get("/ready", R"("loops":{"status":"up")"));
    EXPECT_TRUE(get("/metrics", "aimanager_plugin_misbehaviours_total{kind=\"over_budget\"} 1\n"));
}

// The loop that a call keeps cannot be asked to stop; the end comes all the same.
TEST_F(ContainmentTest, AHeldProcessEndsAfterItsDrain) {
    const TemporaryFolder state;
    const fs::path hold = state.path() / "hold";
    { std::ofstream held(hold); }
    const Service service = StartBusinessApi(state.path(), stack().data_api.port,
                                             {{"ENGINE_THREADS", "1"}, {"DRAIN_TIMEOUT_MS", "1"}});
    PluginFile file(state.path() / "plugins" / "runtime_holds.so");
    file.MoveIn(FixtureBytes("runtime_holds"));
    AddHoldingRow(hold);
    ASSERT_TRUE(Offers(service));
    HttpTestClient client = service.Client();
    const std::string prompt = R"({"prompt":"x","model":"bad"})";
    ASSERT_TRUE(client.Send(
        "POST /api/v1/prompts HTTP/1.1\r\nHost: h\r\nX-API-Key: " + std::string(kCallerKey) +
        "\r\nContent-Length: " + std::to_string(prompt.size()) + "\r\n\r\n" + prompt));
    ASSERT_TRUE(service.process->WaitForOutput("loop_stalled"));
    EXPECT_EQ(service.process->Terminate(std::chrono::seconds(60)), 1);
    EXPECT_NE(service.process->output().find("\"event\":\"exit_forced\""), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(All, PluginContainmentTest,
                         ::testing::Values(Misdeed{"runtime_throws", "exception", false},
                                           Misdeed{"runtime_slow", "over_budget", true},
                                           Misdeed{"runtime_floods", "output_flood", false},
                                           Misdeed{"runtime_wrong_step", "illegal_step", false},
                                           Misdeed{"runtime_late_sink", "late_output", true},
                                           Misdeed{"runtime_stale_sink", "late_output", true},
                                           Misdeed{"runtime_other_thread", "foreign_thread", true}),
                         [](const auto& info) { return std::string(info.param.plugin); });

}  // namespace
}  // namespace aim::gateway
