// `aimanager models discover` against the fake provider.
#include "tests/integration/cli/cli_test_base.hpp"

namespace aim::cli {
namespace {

using gateway::Json;
using gateway::kCanary;

class DiscoverTest : public CliTest {
  protected:
    Outcome Discover(const Arguments& more, const Environment& environment = {}) {
        Arguments arguments = {"models", "discover"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        Environment all = {{"GROQ_API_KEY", std::string(kCanary)}, {"SECRET_HOSTS", ""}};
        for (const auto& [name, value] : environment) all[name] = value;
        const Outcome outcome = Aimanager(arguments, all);
        ExpectNoSecret(outcome.out + outcome.err);
        return outcome;
    }
    // The rows by name, as the data API has them.
    std::size_t Rows() { return Json(data().Get("/api/v1/models").body).root().size(); }
};

constexpr const char* kList =
    R"({"body":{"object":"list","data":[)"
    R"({"id":"llama-a","object":"model","context_window":131072,"active":true},)"
    R"({"id":"whisper-b","object":"model","context_window":448,"active":true},)"
    R"({"id":"gone","object":"model","active":false}]}})";

TEST_F(DiscoverTest, ListsWhatTheKeyMayUse) {
    provider().ScriptPath("/models", kList);
    const Outcome table = Discover({"groq", "--endpoint", provider().url()});
    EXPECT_EQ(table.exit_code, 0) << table.err;
    EXPECT_TRUE(table.out.starts_with("MODEL")) << table.out;
    EXPECT_TRUE(Has(table.out, "llama-a") && Has(table.out, "131072")) << table.out;
    EXPECT_FALSE(Has(table.out, "gone")) << table.out;
    const auto requests = provider().Requests();
    ASSERT_FALSE(requests.empty());
    EXPECT_EQ(requests.back().Header("authorization"), "Bearer " + std::string(kCanary));

    const Outcome json =
        Discover({"Groq", "--endpoint", provider().url(), "--json", "--match", "LLAMA"});
    ASSERT_EQ(json.exit_code, 0) << json.err;
    const json::Document found = Json(json.out);
    EXPECT_EQ(found.root().Get("provider").StringOr(""), "groq");
    ASSERT_EQ(found.root().Get("models").size(), 1U);
    const json::Value model = found.root().Get("models").At(0);
    EXPECT_EQ(model.Get("id").StringOr(""), "llama-a");
    EXPECT_EQ(model.Get("context_window").Int64Or(-1), 131072);
    EXPECT_TRUE(model.Get("max_output_tokens").IsNull());
    EXPECT_EQ(Rows(), 0U);
}

TEST_F(DiscoverTest, AddsRowsAndLeavesThoseThatExist) {
    provider().ScriptPath("/models", kList);
    ASSERT_EQ(data()
                  .Post("/api/v1/models",
                        R"({"name":"llama-a","provider":"mock","endpoint":"mock://mine"})")
                  .status,
              201);
    const Outcome added = Discover({"groq", "--endpoint", provider().url(), "--add", "--json"});
    ASSERT_EQ(added.exit_code, 0) << added.err;
    const json::Document report = Json(added.out);
    EXPECT_EQ(report.root().Get("added").ToJson(), R"(["whisper-b"])");
    EXPECT_EQ(report.root().Get("exists").ToJson(), R"(["llama-a"])");
    EXPECT_EQ(report.root().Get("failed").size(), 0U);
    const json::Document rows = Json(data().Get("/api/v1/models").body);
    ASSERT_EQ(rows.root().size(), 2U);
    for (const auto& [key, row] : rows.root()) {
        const bool ours = row.Get("name").StringOr("") == "whisper-b";
        EXPECT_EQ(row.Get("provider").StringOr(""), ours ? "groq" : "mock");
        if (!ours) continue;
        EXPECT_EQ(row.Get("endpoint").StringOr(""), provider().url());
        EXPECT_EQ(row.Get("upstream_model").StringOr(""), "whisper-b");
        EXPECT_EQ(row.Get("context_window").Int64Or(-1), 448);
    }
    const Outcome again = Discover({"groq", "--endpoint", provider().url(), "--add"});
    EXPECT_EQ(again.exit_code, 0) << again.err;
    EXPECT_TRUE(Has(again.out, "exists") && !Has(again.out, "added")) << again.out;
    EXPECT_EQ(Rows(), 2U);
}

TEST_F(DiscoverTest, SaysWhyItCannotBeDone) {
    const Outcome unknown = Discover({"nobody"});
    EXPECT_EQ(unknown.exit_code, 2);
    EXPECT_TRUE(Has(unknown.err, "no plugin for the provider \"nobody\"")) << unknown.err;
    EXPECT_TRUE(Has(unknown.err, "groq")) << unknown.err;

    const Outcome no_list = Discover({"mock"});
    EXPECT_EQ(no_list.exit_code, 2);
    EXPECT_TRUE(Has(no_list.err, "cannot list")) << no_list.err;

    const Outcome no_key =
        Discover({"groq", "--endpoint", provider().url()}, {{"GROQ_API_KEY", ""}});
    EXPECT_EQ(no_key.exit_code, 2);
    EXPECT_TRUE(Has(no_key.err, "GROQ_API_KEY is not set")) << no_key.err;
    const Outcome mock_key =
        Discover({"groq", "--endpoint", provider().url()}, {{"GROQ_API_KEY", "mock"}});
    EXPECT_EQ(mock_key.exit_code, 2);
    EXPECT_TRUE(provider().Requests().empty());

    provider().ScriptPath("/models", R"({"status":401})");
    const Outcome bad_key = Discover({"groq", "--endpoint", provider().url(), "--json"});
    EXPECT_EQ(bad_key.exit_code, 1) << bad_key.err;
    EXPECT_EQ(Json(bad_key.out).root().Get("status").Int64Or(0), 401);

    // A key of the environment goes to its provider's own hosts only.
    const Outcome foreign = Discover({"groq", "--endpoint", "http://thief.example/v1"});
    EXPECT_EQ(foreign.exit_code, 3);
    EXPECT_TRUE(Has(foreign.err, "thief.example")) << foreign.err;

    const Outcome nobody_there = Discover({"groq", "--endpoint", "http://127.0.0.1:1/v1"});
    EXPECT_EQ(nobody_there.exit_code, 3) << nobody_there.err;
}

}  // namespace
}  // namespace aim::cli
