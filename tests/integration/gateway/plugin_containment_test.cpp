// Plugins that misbehave in a running gateway: it goes on, counts, falls back, and takes them out.
#include <cstdlib>
#include <ostream>

#include "tests/integration/gateway/plugin_files.hpp"

namespace aim::gateway {
namespace {

struct Misdeed {
    const char* plugin;
    const char* kind;
    bool answers;  // what it says is still an answer
};

void PrintTo(const Misdeed& misdeed, std::ostream* out) { *out << misdeed.plugin; }

// The sixth session is for those that are only watched after the first.
constexpr int kEnough = 6;

class PluginContainmentTest : public GatewayTest, public ::testing::WithParamInterface<Misdeed> {
  protected:
    std::string Metrics() { return business().Get("/metrics").body; }
    double Metric(const std::string& line) {
        const std::string page = Metrics();
        const std::size_t at = page.find("\n" + line + " ");
        return at == std::string::npos ? -1
                                       : std::strtod(page.c_str() + at + line.size() + 2, nullptr);
    }
};

TEST_P(PluginContainmentTest, FallsBackAndIsQuarantinedUntilARescan) {
    const Misdeed& misdeed = GetParam();
    const std::string id = misdeed.plugin;
    const std::string kind_line =
        std::string(R"(aimanager_plugin_misbehaviours_total{kind=")") + misdeed.kind + R"("})";
    PluginFile file(stack().state.path() / "plugins" / (id + ".so"));
    file.MoveIn(FixtureBytes(id));
    // The row's upstream model is what makes it misbehave.
    const HttpAnswer row =
        data().Post("/api/v1/models", R"({"name":"bad","upstream_model":"misbehave","provider":)" +
                                          Quote(id) + R"(,"endpoint":"http://127.0.0.1:9"})");
    ASSERT_EQ(row.status, 201) << row.body;
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
