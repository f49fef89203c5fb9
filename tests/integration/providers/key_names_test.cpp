// The names that the providers' keys have in the environment: those of the documents that the
// product was asked for in, and what an empty one and the word "mock" mean.
#include <algorithm>
#include <map>
#include <set>

#include "tests/integration/providers/providers_test_base.hpp"

namespace aim::gateway {
namespace {

struct KeyName {
    const char* variable;
    const char* column;  // of the row, as the documents name the provider
    const char* plugin;
};
constexpr KeyName kKeyNames[] = {
    {"GOOGLE_AI_STUDIO_API_KEY", "Google Gemini", "gemini"},
    {"GROQ_API_KEY", "Groq", "groq"},
    {"CEREBRAS_API_KEY", "Cerebras", "cerebras"},
    {"SAMBANOVA_API_KEY", "SambaNova", "sambanova"},
    {"HUGGINGFACE_API_KEY", "HuggingFace", "huggingface"},
    {"CLOUDFLARE_API_TOKEN", "Cloudflare", "cloudflare"},
    {"OPENAI_API_KEY", "OpenAI", "openai"},
    {"ANTHROPIC_API_KEY", "Anthropic", "anthropic"},
    {"DEEPSEEK_API_KEY", "DeepSeek", "deepseek"},
    {"TOGETHER_API_KEY", "Together.ai", "together"},
    {"REPLICATE_API_TOKEN", "Replicate", "replicate"},
    {"OPENROUTER_API_KEY", "OpenRouter", "openrouter"},
    {"MISTRAL_API_KEY", "Mistral", "mistral"},
    {"XAI_API_KEY", "xAI", "xai"},
};

// Every test has a gateway of its own, with what it says for every name.
class KeyNamesTest : public ProvidersTest {
  protected:
    void TearDown() override {
        ProvidersTest::TearDown();
        if (gateway_) StopGateway();
    }
    static void Start(const std::function<std::string(const KeyName&)>& value_of) {
        Environment environment = {{"CLOUDFLARE_ACCOUNT_ID", ""}};
        for (const KeyName& name : kKeyNames) environment[name.variable] = value_of(name);
        StartGateway({}, environment);
    }
    std::vector<Row> Rows() const {
        std::vector<Row> rows;
        for (const KeyName& name : kKeyNames) {
            const std::vector<Provider> all = AllProviders();
            const auto provider = std::find_if(all.begin(), all.end(), [&](const Provider& p) {
                return std::string_view(p.plugin) == name.plugin;
            });
            EXPECT_NE(provider, all.end()) << name.plugin;
            rows.push_back(
                {name.plugin, name.column, Origin(ProvidersTest::provider()) + provider->path});
        }
        return rows;
    }
    static constexpr const char* kQuestion =
        R"("fallback":false,"messages":[{"role":"user","content":"Hi"}])";
};

// What is asked of the shared table: each of the names is the one that the tests of the dialects
// set, and see in that provider's header and in no other.
TEST(KeyNames, AreThoseOfTheDialectsTests) {
    std::map<std::string, std::string> used;
    for (const Provider& provider : AllProviders()) used[provider.variable] = provider.plugin;
    used.erase("");  // needs none
    std::map<std::string, std::string> expected;
    for (const KeyName& name : kKeyNames) expected[name.variable] = name.plugin;
    EXPECT_EQ(used, expected);
}

TEST_F(KeyNamesTest, EachKeyReachesItsOwnProviderAndNoOther) {
    Start([](const KeyName& name) { return "value-of-" + std::string(name.variable); });
    std::vector<Row> rows = Rows();
    // Two settings, both needed: without the account it says so.
    const auto cloudflare = std::find_if(rows.begin(), rows.end(),
                                         [](const Row& row) { return row.name == "cloudflare"; });
    const std::vector<Row> unfinished = {*cloudflare};
    rows.erase(cloudflare);
    AddRows(rows);
    AddRows(unfinished, "not_configured");
    for (const Row& row : rows) {
        const Reply reply = Ask(row.name, kQuestion);
        EXPECT_EQ(reply.text, "echo: Hi") << row.name << " " << reply.body;
    }
    std::map<std::string, std::set<std::string>> seen;
    for (const RecordedRequest& request : provider().Requests()) {
        for (const auto& [header, value] : request.headers) {
            const std::size_t at = value.find("value-of-");
            if (at != std::string::npos) seen[request.model].insert(value.substr(at));
        }
    }
    for (const KeyName& name : kKeyNames) {
        if (std::string_view(name.plugin) == "cloudflare") continue;
        EXPECT_EQ(seen[name.plugin],
                  std::set<std::string>{"value-of-" + std::string(name.variable)})
            << name.plugin;
    }
}

TEST_F(KeyNamesTest, TheWordMockHasEachPlayedByTheMock) {
    Start([](const KeyName&) { return std::string("mock"); });
    const std::vector<Row> rows = Rows();
    AddRows(rows);
    for (const Row& row : rows) {
        const Reply reply = Ask(row.name, kQuestion);
        EXPECT_EQ(reply.status, 200) << row.name << " " << reply.body;
        EXPECT_EQ(reply.model, row.name);
        EXPECT_FALSE(reply.text.empty()) << row.name;
    }
    EXPECT_TRUE(provider().Requests().empty());
}

TEST_F(KeyNamesTest, WithoutItsKeyEachIsNotConfiguredAndNeverAsked) {
    Start([](const KeyName&) { return std::string(); });
    const std::vector<Row> rows = Rows();
    AddRows(rows, "not_configured");
    for (const Row& row : rows) EXPECT_EQ(Ask(row.name, kQuestion).status, 503) << row.name;
    EXPECT_TRUE(provider().Requests().empty());
}

// A key that came with its line's end is the operator's to mend: the model is parked and shown so,
// nothing is sent, and the plugin has done nothing wrong, however often it is asked.
TEST_F(KeyNamesTest, AKeyWithALineEndIsNoFaultOfThePlugin) {
    Start([](const KeyName&) { return std::string("canary-77f0a1\r\n"); });
    std::vector<Row> rows;
    for (int i = 0; i < 7; ++i)
        rows.push_back({"groq-" + std::to_string(i), "Groq", provider().url()});
    AddRows(rows);
    for (const Row& row : rows) {
        const Reply reply = Ask(row.name, kQuestion);
        EXPECT_EQ(reply.status, 502) << reply.body;
        EXPECT_NE(reply.body.find("unauthenticated"), std::string::npos) << reply.body;
    }
    const json::Document models = Json(ModelStates());
    EXPECT_EQ(models.root().size(), rows.size());
    for (const auto& [key, model] : models.root())
        EXPECT_EQ(model.Get("state").StringOr(""), "parked") << model.ToJson();
    EXPECT_TRUE(provider().Requests().empty());
    EXPECT_EQ(gateway_->process->output().find("canary-77f0a1"), std::string::npos);
}

}  // namespace
}  // namespace aim::gateway
