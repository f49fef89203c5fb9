// What GET /api/v1/plugins and a rescan tell an operator.
#include <fstream>

#include "tests/integration/gateway/plugin_files.hpp"

namespace aim::gateway {
namespace {

namespace fs = std::filesystem;

TEST_F(GatewayTest, PluginReportHasStateSessionsAndSettingsButNoValue) {
    const TemporaryFolder state;
    constexpr std::string_view kRegion = "canary-region-7d31";
    const Service service =
        StartBusinessApi(state.path(), stack().data_api.port,
                         {{"STAMP_TOKEN", "mock"}, {"STAMP_REGION", std::string(kRegion)}});
    PluginFile file(state.path() / "plugins" / "stamp.so");
    HttpTestClient client = service.Client();
    file.MoveIn(FixtureBytes("stamp_1"));
    // Nobody has to wait for a notification.
    const HttpAnswer rescanned = client.Post("/api/v1/plugins/rescan", "", Key());
    ASSERT_EQ(rescanned.status, 200) << rescanned.body;
    EXPECT_NE(rescanned.body.find("\"stamp\""), std::string::npos) << rescanned.body;

    const json::Document stamp = PluginReport(client, "loaded", "stamp");
    const json::Value plugin = stamp.root();
    EXPECT_EQ(plugin.Get("version").StringOr(""), "1.0.0");
    EXPECT_EQ(plugin.Get("abi").StringOr(""), "1.0");
    EXPECT_EQ(plugin.Get("file").StringOr(""), file.path().string());
    EXPECT_EQ(plugin.Get("sha256").StringOr("").size(), 64U);
    EXPECT_GT(plugin.Get("generation").Int64Or(0), 0);
    EXPECT_EQ(plugin.Get("state").StringOr(""), "serving");
    EXPECT_EQ(plugin.Get("sessions").Get("total").Int64Or(-1), 0);
    EXPECT_EQ(plugin.Get("sessions").Get("open").Int64Or(-1), 0);
    EXPECT_EQ(plugin.Get("misbehaviours").Int64Or(-1), 0);
    EXPECT_EQ(plugin.Get("misbehaviour").Get("exception").Int64Or(-1), 0);
    const json::Value settings = plugin.Get("settings");
    ASSERT_EQ(settings.size(), 2U);
    EXPECT_EQ(settings.At(0).Get("name").StringOr(""), "STAMP_REGION");
    EXPECT_EQ(settings.At(0).Get("state").StringOr(""), "set");
    EXPECT_EQ(settings.At(1).Get("name").StringOr(""), "STAMP_TOKEN");
    EXPECT_EQ(settings.At(1).Get("state").StringOr(""), "mock");
    const json::Document groq = PluginReport(client, "loaded", "groq");
    EXPECT_EQ(groq.root().Get("settings").At(0).Get("state").StringOr(""), "set");

    // The shared gateway was started without them.
    PluginFile unset(stack().state.path() / "plugins" / "stamp.so");
    unset.MoveIn(FixtureBytes("stamp_1"));
    EXPECT_EQ(business().Post("/api/v1/plugins/rescan", "", Key()).status, 200);
    const json::Document bare = PluginReport(business(), "loaded", "stamp");
    EXPECT_EQ(bare.root().Get("settings").At(1).Get("state").StringOr(""), "missing");

    // A session is counted where it ran.
    AddModel("counted", provider().url(), "stamp");
    EXPECT_EQ(Prompt(R"("prompt":"x","model":"counted")").status, 200);
    const json::Document used = PluginReport(business(), "loaded", "stamp");
    EXPECT_EQ(used.root().Get("sessions").Get("total").Int64Or(-1), 1);
    EXPECT_GE(used.root().Get("calls").Get("total").Int64Or(-1), 4);

    // Values are nobody's business.
    const std::string body = client.Get("/api/v1/plugins", Key()).body;
    EXPECT_EQ(body.find(kRegion), std::string::npos);
    EXPECT_EQ(body.find(kCanary), std::string::npos);
    EXPECT_EQ(service.process->output().find(kRegion), std::string::npos);
}

TEST_F(GatewayTest, EveryRefusalIsCountedLoggedAndShown) {
    struct Case {
        const char* name;
        std::string bytes;
        fs::perms mode;
        const char* reason;
    };
    const std::string whole = FixtureBytes("stamp_3");
    const Case cases[] = {
        {"text.so", "This is no library.\n", fs::perms(0644), "not_elf"},
        {"cut.so", whole.substr(0, whole.size() / 3), fs::perms(0644), "truncated"},
        {"open.so", whole, fs::perms(0666), "unsafe_owner_or_mode"},
        {"ends.so", FixtureBytes("exit_in_init"), fs::perms(0644), "forbidden_import"},
        {"crash.so", FixtureBytes("crash_in_init"), fs::perms(0644), "probe_crashed"},
    };
    const TemporaryFolder state;
    const Service service = StartBusinessApi(state.path(), stack().data_api.port);
    HttpTestClient client = service.Client();
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        const fs::path scratch = state.path() / c.name;
        const PluginFile file(state.path() / "plugins" / c.name);
        {
            std::ofstream out(scratch, std::ios::binary);
            out << c.bytes;
        }
        fs::permissions(scratch, c.mode);
        fs::rename(scratch, file.path());
        ASSERT_TRUE(Eventually([&] { return ReasonFor(client, c.name) == c.reason; }))
            << ReasonFor(client, c.name);
        EXPECT_NE(client.Get("/ready").body.find(c.name), std::string::npos);
        EXPECT_NE(client.Get("/metrics")
                      .body.find(std::string(R"(aimanager_plugin_refusals_total{reason=")") +
                                 c.reason + R"("} 1)"),
                  std::string::npos);
        // The log is written beside the work.
        EXPECT_TRUE(service.process->WaitForOutput(std::string(R"("reason":")") + c.reason));
        const json::Document report = Json(client.Get("/api/v1/plugins", Key()).body);
        EXPECT_EQ(report.root().Get("counters").Get("refusals").Get(c.reason).Int64Or(0), 1);
    }
    EXPECT_EQ(client.Get("/ready").status, 200);
}

TEST_F(GatewayTest, PluginCallsNeedAKey) {
    EXPECT_EQ(business().Get("/api/v1/plugins").status, 401);
    EXPECT_EQ(business().Post("/api/v1/plugins/rescan", "").status, 401);
}

}  // namespace
}  // namespace aim::gateway
