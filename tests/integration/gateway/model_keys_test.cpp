#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "core/security/encoding.hpp"
#include "tests/integration/gateway/gateway_test_base.hpp"

namespace aim::gateway {
namespace {

using std::chrono::seconds;

constexpr const char* kRowKey = "canary-row-key-90b2a4";
constexpr const char* kToken = "service-token-1";

std::string Master(char fill) { return security::Base64Encode(std::string(32, fill)); }

// A data API that encrypts, on the database of all, and models with keys of their own.
class ModelKeysTest : public GatewayTest {
  protected:
    void SetUp() override {
        GatewayTest::SetUp();
        sealed_ = StartDataApi(stack().database, 0,
                               {{"DATA_API_TOKEN", kToken}, {"MASTER_KEY", Master('m')}});
    }
    static HttpHeaders Token() { return {{"X-API-Key", kToken}}; }

    std::string AddKeyed(const std::string& name) {
        const HttpAnswer answer = sealed_.Client().Post(
            "/api/v1/models",
            R"({"name":)" + Quote(name) + R"(,"provider":"groq","endpoint":)" +
                Quote(provider().url()) + R"(,"api_key":)" + Quote(kRowKey) + "}",
            Token());
        EXPECT_EQ(answer.status, 201) << answer.body;
        return std::string(Json(answer.body).root().Get("id").StringOr(""));
    }
    // No key in its environment but the master keys.
    Service Start(const TemporaryFolder& state, const Environment& more) {
        Environment environment = {{"DATA_API_TOKEN", kToken}, {"GROQ_API_KEY", ""}};
        for (const auto& [name, value] : more) environment[name] = value;
        return StartBusinessApi(state.path(), sealed_.port, environment);
    }
    static json::Document ModelOf(const Service& business_api, const std::string& name) {
        const json::Document models = Json(business_api.Client().Get("/api/v1/models").body);
        for (const auto& [index, model] : models.root()) {
            if (model.Get("name").StringOr("") == name) return Json(model.ToJson());
        }
        return Json("{}");
    }
    static bool Becomes(const Service& business_api, const std::string& name,
                        const std::string& state) {
        return Eventually(
            [&] { return ModelOf(business_api, name).root().Get("state").StringOr("") == state; },
            seconds(30));
    }
    static HttpAnswer Ask(const Service& business_api, const std::string& model) {
        return business_api.Client().Post(
            "/api/v1/prompts", R"({"prompt":"x","fallback":false,"model":)" + Quote(model) + "}",
            Key());
    }
    static std::string TextOf(const std::filesystem::path& file) {
        // Not character by character: the ledger's files are large.
        std::ostringstream text;
        text << std::ifstream(file, std::ios::binary).rdbuf();
        return std::move(text).str();
    }
    // Every file below the folder, as one text.
    static std::string Everything(const std::filesystem::path& folder) {
        std::string text;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
            if (entry.is_regular_file()) text += TextOf(entry.path());
        }
        return text;
    }
    // What `aimanager keys …` prints. Into a file: the end of a process says nothing about what is
    // still on its way through a pipe.
    std::string RunKeys(const std::vector<std::string>& arguments, int expected,
                        const Environment& more = {}) {
        const std::filesystem::path output = scratch_.path() / "output";
        std::vector<std::string> all = {
            "-c", R"(exec "$0" keys "$@" > ")" + output.string() + R"(" 2>&1)",
            AIM_BINARY_DIR "/bin/aimanager"};
        all.insert(all.end(), arguments.begin(), arguments.end());
        Environment environment = {
            {"DATA_API_URL", "http://127.0.0.1:" + std::to_string(sealed_.port)},
            {"DATA_API_TOKEN", kToken}};
        for (const auto& [name, value] : more) environment[name] = value;
        ProcessFixture process({"/bin/sh", std::move(all), environment});
        EXPECT_EQ(process.WaitForExit(seconds(30)), expected) << TextOf(output);
        const std::string text = TextOf(output);
        EXPECT_EQ(text.find(kRowKey), std::string::npos);
        return text;
    }

    TemporaryFolder scratch_;
    Service sealed_;
};

TEST_F(ModelKeysTest, ARowsOwnKeyGoesToItsProviderAndNowhereElse) {
    AddKeyed("own-key");
    const TemporaryFolder state;
    Service business_api = Start(state, {{"MASTER_KEY", Master('m')}});
    ASSERT_TRUE(Becomes(business_api, "own-key", "available"))
        << ModelOf(business_api, "own-key").root().ToJson();
    const HttpAnswer answer = Ask(business_api, "own-key");
    EXPECT_EQ(answer.status, 200) << answer.body;
    ASSERT_EQ(RequestsFor("own-key"), 1U);
    EXPECT_EQ(provider().Requests().back().Header("Authorization"),
              "Bearer " + std::string(kRowKey));

    // A provider that says it back.
    provider().Script("own-key", R"({"status":401,"body":{"error":{"message":"bad key )" +
                                     std::string(kRowKey) + R"(","type":"x"}}})");
    const HttpAnswer refused = Ask(business_api, "own-key");
    const json::Document row = HistoryRow(refused.Header("X-Request-Id"));
    std::string seen = answer.body + refused.body + row.root().ToJson();
    for (const char* path : {"/ready", "/metrics", "/api/v1/models", "/api/v1/plugins"})
        seen += business_api.Client().Get(path, Key()).body;
    EXPECT_EQ(business_api.process->Terminate(), 0);
    seen += business_api.process->output() + sealed_.process->output();
    seen += stack().business_api.process->output();
    EXPECT_EQ(seen.find(kRowKey), std::string::npos);
    const std::string disk = Everything(state.path());
    EXPECT_NE(disk.find("api_key_ciphertext"), std::string::npos);
    EXPECT_EQ(disk.find(kRowKey), std::string::npos);
}

TEST_F(ModelKeysTest, AStartFromTheCopyKnowsTheKeys) {
    AddKeyed("own-key");
    const TemporaryFolder state;
    {
        const Service business_api = Start(state, {{"MASTER_KEY", Master('m')}});
        ASSERT_TRUE(Becomes(business_api, "own-key", "available"));
        ASSERT_TRUE(Eventually([&] {
            return TextOf(state.path() / "catalogue.json").find("api_key_ciphertext") !=
                   std::string::npos;
        }));
    }
    EXPECT_EQ(sealed_.process->Terminate(), 0);
    const Service cold = Start(state, {{"MASTER_KEY", Master('m')}});
    ASSERT_TRUE(Becomes(cold, "own-key", "available")) << cold.process->output();
    EXPECT_EQ(Ask(cold, "own-key").status, 200);
}

TEST_F(ModelKeysTest, WithoutTheRightMasterKeyTheModelIsNotConfigured) {
    AddKeyed("own-key");
    const TemporaryFolder states[3];
    const std::vector<std::pair<Environment, std::string>> cases = {
        {{{"MASTER_KEY", Master('w')}}, "master key"},
        {{}, "MASTER_KEY is not set"},
        {{{"MASTER_KEY", Master('m')}, {"DATA_API_TOKEN", kToken}}, ""}};
    for (std::size_t i = 0; i < cases.size(); ++i) {
        const Service business_api = Start(states[i], cases[i].first);
        const bool good = cases[i].second.empty();
        EXPECT_TRUE(Becomes(business_api, "own-key", good ? "available" : "not_configured"));
        if (good) continue;
        EXPECT_TRUE(business_api.process->WaitForOutput("model_key_unusable"));
        const json::Document model = ModelOf(business_api, "own-key");
        EXPECT_NE(model.root().Get("state_reason").StringOr("").find(cases[i].second),
                  std::string::npos)
            << model.root().ToJson();
        EXPECT_EQ(Ask(business_api, "own-key").status, 503);
        EXPECT_EQ(business_api.Client().Get("/health").status, 200);
    }
    // The stack of all has a data API without a token and no master key.
    EXPECT_TRUE(Becomes(stack().business_api, "own-key", "not_configured"));
}

TEST_F(ModelKeysTest, KeysAreStoredUnderANewMasterKeyWithoutAGap) {
    AddKeyed("own-key");
    AddKeyed("own-key-2");
    const TemporaryFolder state;
    const Service both =
        Start(state, {{"MASTER_KEY", Master('n')}, {"MASTER_KEY_PREVIOUS", Master('m')}});
    ASSERT_TRUE(Becomes(both, "own-key", "available"));
    const auto reencrypt = [&](const Environment& more, int expected) {
        return RunKeys({"reencrypt", "--json"}, expected, more);
    };
    const Environment keys = {{"MASTER_KEY", Master('n')}, {"MASTER_KEY_PREVIOUS", Master('m')}};
    reencrypt({{"MASTER_KEY", Master('n')}}, 2);
    const std::string unknown =
        reencrypt({{"MASTER_KEY", Master('x')}, {"MASTER_KEY_PREVIOUS", Master('y')}}, 1);
    EXPECT_NE(unknown.find("own-key-2"), std::string::npos) << unknown;
    const json::Document done = Json(reencrypt(keys, 0));
    EXPECT_EQ(done.root().Get("reencrypted").AsInt64(), 2) << done.root().ToJson();
    EXPECT_EQ(Ask(both, "own-key").status, 200);
    const json::Document again = Json(reencrypt(keys, 0));
    EXPECT_EQ(again.root().Get("reencrypted").AsInt64(), 0);
    EXPECT_EQ(again.root().Get("current").AsInt64(), 2);

    const TemporaryFolder fresh;
    const Service next = Start(fresh, {{"MASTER_KEY", Master('n')}});
    ASSERT_TRUE(Becomes(next, "own-key-2", "available"));
    EXPECT_EQ(Ask(next, "own-key-2").status, 200);
    EXPECT_EQ(provider().Requests().back().Header("Authorization"),
              "Bearer " + std::string(kRowKey));
    ASSERT_TRUE(Becomes(both, "own-key", "available"));
    EXPECT_EQ(Ask(both, "own-key").status, 200);
}

// `aimanager keys` against the data API, and what a gateway makes of it.
TEST_F(ModelKeysTest, TheCommandLineLooksAfterKeys) {
    const auto run = [&](const std::vector<std::string>& arguments, int expected,
                         const Environment& more = {}) {
        return RunKeys(arguments, expected, more);
    };
    const auto ask = [&](const std::string& secret) {
        return stack().business_api.Client().Get("/v1/models", {{"X-API-Key", secret}}).status;
    };
    const json::Document key = Json(run({"create", "cli-made", "--scope", "prompts", "--rate-limit",
                                         "7", "--expires", "30d", "--json"},
                                        0));
    const std::string secret(key.root().Get("secret").StringOr(""));
    EXPECT_EQ(key.root().Get("rate_limit_per_minute").AsInt64(), 7);
    EXPECT_FALSE(key.root().Get("expires_at").IsNull());
    EXPECT_TRUE(Eventually([&] { return ask(secret) == 200; }));
    const std::string list = run({"list"}, 0);
    EXPECT_NE(list.find("cli-made"), std::string::npos) << list;
    EXPECT_EQ(list.find(secret), std::string::npos) << list;
    const std::string rotated = run({"rotate", "cli-made", "--grace", "0"}, 0);
    const std::string second = rotated.substr(rotated.find("aim_"), secret.size());
    EXPECT_TRUE(Eventually([&] { return ask(second) == 200 && ask(secret) == 401; })) << rotated;
    // The database lives as long as the program, which may run this test again.
    static int repetition = 0;
    const std::string own = "a-secret-of-the-operators-own-" + std::to_string(++repetition);
    const std::string made = run({"create", "own", "--secret-env", "OWN"}, 0, {{"OWN", own}});
    EXPECT_EQ(made.find(own), std::string::npos) << made;
    EXPECT_TRUE(Eventually([&] { return ask(own) == 200; }));
    run({"revoke", "own"}, 0);
    run({"revoke", "cli-made", "--json"}, 0);
    EXPECT_TRUE(Eventually([&] { return ask(second) == 401 && ask(own) == 401; }));
    EXPECT_NE(run({"list", "--revoked"}, 0).find("revoked"), std::string::npos);
    run({"revoke", "cli-made"}, 1);
    run({"create", "bad", "--expires", "whenever"}, 2);
    run({"create", "bad", "--scope", "root"}, 2);
    run({"create", "bad", "--secret-env", "NOT_SET"}, 2);
    run({"rotate", "cli-made", "--grace", "long"}, 2);
    for (const char* command : {"create", "list", "revoke", "rotate", "reencrypt"})
        EXPECT_NE(run({command, "--help"}, 0).find("xample"), std::string::npos) << command;
}

}  // namespace
}  // namespace aim::gateway
