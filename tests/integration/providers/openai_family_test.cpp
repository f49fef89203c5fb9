#include <array>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/gateway/gateway_test_base.hpp"

namespace aim::gateway {
namespace {

using std::chrono::seconds;

struct Family {
    const char* plugin;
    const char* column;  // of the row: an alias where there is one
    const char* path;    // of the fake provider
    const char* key;     // variable; empty: none is needed
};

constexpr std::array<Family, 11> kFamily = {{
    {"groq", "Groq", "/openai/v1", "GROQ_API_KEY"},
    {"openai", "OpenAI", "/as/openai/v1", "OPENAI_API_KEY"},
    {"cerebras", "Cerebras", "/as/cerebras/v1", "CEREBRAS_API_KEY"},
    {"sambanova", "SambaNova", "/as/sambanova/v1", "SAMBANOVA_API_KEY"},
    {"huggingface", "HuggingFace", "/as/huggingface/v1", "HUGGINGFACE_API_KEY"},
    {"deepseek", "DeepSeek", "/as/deepseek/v1", "DEEPSEEK_API_KEY"},
    {"together", "Together.ai", "/as/together/v1/chat/completions", "TOGETHER_API_KEY"},
    {"openrouter", "OpenRouter", "/as/openrouter/v1", "OPENROUTER_API_KEY"},
    {"mistral", "Mistral", "/as/mistral/v1", "MISTRAL_API_KEY"},
    {"xai", "xAI", "/as/xai/v1", "XAI_API_KEY"},
    {"openai_compatible", "Ollama", "/as/openai_compatible/v1", ""},
}};

std::string CanaryOf(const Family& family) {
    return "canary-" + std::string(family.plugin) + "-77f0a1";
}

// What a client of the OpenAI paths may say, with much that one or another provider does not take.
constexpr std::string_view kRich =
    R"("max_tokens":50,"temperature":0.5,"seed":7,"user":"u1","store":true,"messages":[)"
    R"({"role":"developer","content":"Be brief."},{"role":"user","content":"Hello","name":"anna"},)"
    R"({"role":"assistant","content":"Hi!","reasoning_content":"A greeting."},)"
    R"({"role":"user","content":"Say it"}])";

struct Reply {
    int status = 0;
    std::string text;
    std::string body;
    std::int64_t prompt_tokens = -1;
    std::int64_t completion_tokens = -1;
    bool done = false;   // the stream's terminator came, or the answer was whole
    bool error = false;  // an error event inside the stream
    std::string attempts;
    std::string retry_after;
};

void TakeUsage(const json::Value& usage, Reply& reply) {
    if (!usage.IsObject()) return;
    reply.prompt_tokens = usage.Get("prompt_tokens").Int64Or(-1);
    reply.completion_tokens = usage.Get("completion_tokens").Int64Or(-1);
}

class OpenAiFamilyTest : public GatewayTest {
  protected:
    static void SetUpTestSuite() {
        Environment keys;
        for (const Family& family : kFamily)
            if (*family.key != '\0') keys[family.key] = CanaryOf(family);
        state_ = std::make_unique<TemporaryFolder>();
        gateway_ = std::make_unique<Service>(
            StartBusinessApi(state_->path(), stack().data_api.port, keys));
    }
    // No key was written anywhere.
    static void TearDownTestSuite() {
        EXPECT_EQ(gateway_->process->Terminate(), 0);
        for (const Family& family : kFamily)
            EXPECT_EQ(gateway_->process->output().find(CanaryOf(family)), std::string::npos);
        gateway_.reset();
        state_.reset();
    }

    void TearDown() override {
        if (HasFailure()) {
            const std::string output = gateway_->process->output();
            std::fprintf(stderr, "--- gateway ---\n%s\n",
                         output.substr(output.size() > 6000 ? output.size() - 6000 : 0).c_str());
        }
    }

    // A row for each plugin, named <plugin><suffix>; returns when the gateway offers them.
    void AddRows(const std::string& suffix) {
        const std::string base = provider().url();
        const std::string origin = base.substr(0, base.find("/openai/v1"));
        for (const Family& family : kFamily) {
            const HttpAnswer answer = data().Post(
                "/api/v1/models", "{\"name\":" + Quote(family.plugin + suffix) +
                                      ",\"provider\":" + Quote(family.column) +
                                      ",\"endpoint\":" + Quote(origin + family.path) + "}");
            ASSERT_EQ(answer.status, 201) << answer.body;
        }
        ASSERT_TRUE(Eventually([&] {
            HttpTestClient client = gateway_->Client();
            const json::Document models = Json(client.Get("/api/v1/models").body);
            std::size_t available = 0;
            for (const auto& [key, model] : models.root())
                available += model.Get("name").StringOr("").ends_with(suffix) &&
                             model.Get("state").StringOr("") == "available";
            return available == kFamily.size();
        })) << gateway_->Client().Get("/api/v1/models").body;
    }

    static Reply Ask(const std::string& model, const std::string& more) {
        HttpTestClient client = gateway_->Client();
        const HttpAnswer answer = client.Post(
            "/v1/chat/completions", "{\"model\":" + Quote(model) + "," + more + "}", Key());
        Reply reply;
        reply.status = answer.status;
        reply.body = answer.body;
        reply.attempts = answer.Header("X-AIManager-Attempts");
        reply.retry_after = answer.Header("Retry-After");
        if (answer.status != 200) return reply;
        const json::Document document = Json(answer.body);
        reply.text =
            document.root().Get("choices").At(0).Get("message").Get("content").StringOr("");
        TakeUsage(document.root().Get("usage"), reply);
        reply.done = true;
        return reply;
    }

    static Reply AskStreamed(const std::string& model, const std::string& more) {
        StreamReader stream(*gateway_, "/v1/chat/completions",
                            R"({"stream":true,"stream_options":{"include_usage":true},"model":)" +
                                Quote(model) + "," + more + "}");
        Reply reply;
        stream.ReadAll();
        reply.status = stream.head().status;
        reply.body = stream.body();
        reply.attempts = stream.head().Header("X-AIManager-Attempts");
        for (const std::string& event : stream.Events()) {
            if (event == "[DONE]") {
                reply.done = true;
                continue;
            }
            const json::Document chunk = Json(event);
            reply.error = reply.error || chunk.root().Get("error").exists();
            reply.text +=
                chunk.root().Get("choices").At(0).Get("delta").Get("content").StringOr("");
            TakeUsage(chunk.root().Get("usage"), reply);
        }
        return reply;
    }

    // All at once, one thread each, in the order of the questions.
    static std::vector<Reply> AtOnce(const std::vector<std::function<Reply()>>& questions) {
        std::vector<Reply> replies(questions.size());
        std::vector<std::thread> threads;
        for (std::size_t i = 0; i < questions.size(); ++i)
            threads.emplace_back([&, i] { replies[i] = questions[i](); });
        for (std::thread& thread : threads) thread.join();
        return replies;
    }

    static std::unique_ptr<TemporaryFolder> state_;
    static std::unique_ptr<Service> gateway_;
};

std::unique_ptr<TemporaryFolder> OpenAiFamilyTest::state_;
std::unique_ptr<Service> OpenAiFamilyTest::gateway_;

TEST_F(OpenAiFamilyTest, FiftyAtOnceStreamedAndNot) {
    AddRows("-main");
    for (const Family& family : kFamily)
        provider().Script(family.plugin + std::string("-main"),
                          R"({"text":"one two three","reasoning":"think","prompt_tokens":12,)"
                          R"("completion_tokens":9,"cached_tokens":4,"reasoning_tokens":5})");
    std::vector<std::function<Reply()>> questions;
    std::vector<std::string> models;
    for (std::size_t i = 0; i < 55; ++i) {
        const std::string model = kFamily[i % kFamily.size()].plugin + std::string("-main");
        const std::string more = std::string(kRich) + R"(,"fallback":false)";
        models.push_back(model);
        if (i % 2 == 0) {
            questions.emplace_back([=] { return AskStreamed(model, more); });
        } else {
            questions.emplace_back([=] { return Ask(model, more); });
        }
    }
    const std::vector<Reply> replies = AtOnce(questions);
    for (std::size_t i = 0; i < replies.size(); ++i) {
        const std::string told = models[i] + " " + replies[i].body;
        EXPECT_EQ(replies[i].status, 200) << told;
        EXPECT_EQ(replies[i].text, "one two three") << told;
        EXPECT_TRUE(replies[i].done) << told;
        EXPECT_EQ(replies[i].prompt_tokens, 12) << told;
        EXPECT_EQ(replies[i].completion_tokens, 9) << told;
        EXPECT_NE(replies[i].body.find("\"reasoning_content\":\"think\""), std::string::npos)
            << told;
    }
    // Each got its own key, in its header only; who needs none got none.
    std::map<std::string, std::string> seen;
    for (const RecordedRequest& request : provider().Requests()) {
        seen[request.model] = request.Header("authorization");
        EXPECT_EQ(request.path.find("canary"), std::string::npos);
        EXPECT_EQ(request.body.find("canary"), std::string::npos);
    }
    for (const Family& family : kFamily)
        EXPECT_EQ(seen[family.plugin + std::string("-main")],
                  *family.key == '\0' ? "" : "Bearer " + CanaryOf(family));
}

TEST_F(OpenAiFamilyTest, WhoeverEmbedsDoesSoWithItsOwnKey) {
    AddRows("-embed");
    const auto embeds = [](const Family& family) {
        for (const char* none : {"cerebras", "huggingface", "deepseek", "xai"})
            if (std::string_view(family.plugin) == none) return false;
        return true;
    };
    for (const Family& family : kFamily) {
        SCOPED_TRACE(family.plugin);
        const std::string model = family.plugin + std::string("-embed");
        HttpTestClient client = gateway_->Client();
        const HttpAnswer answer = client.Post(
            "/v1/embeddings",
            "{\"model\":" + Quote(model) + R"(,"input":["four","sixsix"],"user":"u1"})", Key());
        if (!embeds(family)) {
            ExpectOpenAi(answer, 400, "unsupported");
            continue;
        }
        ASSERT_EQ(answer.status, 200) << answer.body;
        const json::Document document = Json(answer.body);
        const json::Value list = document.root().Get("data");
        EXPECT_EQ(list.At(0).Get("embedding").ToJson(), "[4,1,1]");
        EXPECT_EQ(list.At(1).Get("embedding").ToJson(), "[6,1,1]");
        EXPECT_EQ(document.root().Get("usage").Get("total_tokens").Int64Or(-1), 14);
        const auto requests = provider().Requests();
        ASSERT_FALSE(requests.empty());
        EXPECT_TRUE(requests.back().path.ends_with("/v1/embeddings")) << requests.back().path;
        EXPECT_EQ(requests.back().Header("authorization"),
                  *family.key == '\0' ? "" : "Bearer " + CanaryOf(family));
    }
}

TEST_F(OpenAiFamilyTest, ToolCallsOfEveryShapeArriveInOneShape) {
    AddRows("-tools");
    for (const Family& family : kFamily)
        provider().Script(
            family.plugin + std::string("-tools"),
            R"({"tool_fragments":3,"tool_calls":[)"
            R"({"id":"aB3dE6gH9","name":"get_weather","arguments":"{\"city\":\"Oslo\"}"},)"
            R"({"id":"bC4eF7hI0","name":"get_time","arguments":"{\"zone\":\"CET\"}"}]})");
    const std::string more =
        R"("fallback":false,"messages":[{"role":"user","content":"Hi"}],"tools":[{"type":"function",)"
        R"("function":{"name":"get_weather","strict":true,"parameters":{"type":"object"}}}])";
    for (const Family& family : kFamily) {
        const Reply reply = AskStreamed(family.plugin + std::string("-tools"), more);
        ASSERT_EQ(reply.status, 200) << family.plugin << " " << reply.body;
        std::array<std::string, 2> ids;
        std::array<std::string, 2> arguments;
        std::string finish;
        for (std::size_t at = 0; at < reply.body.size();) {
            const std::size_t stop = std::min(reply.body.find('\n', at), reply.body.size());
            const std::string line = reply.body.substr(at, stop - at);
            at = stop + 1;
            if (!line.starts_with("data: {")) continue;
            const json::Document chunk = Json(line.substr(6));
            const json::Value choice = chunk.root().Get("choices").At(0);
            const std::string_view reason = choice.Get("finish_reason").StringOr("");
            if (!reason.empty()) finish = reason;
            for (const auto& [key, call] : choice.Get("delta").Get("tool_calls")) {
                const auto index = static_cast<std::size_t>(call.Get("index").Int64Or(9));
                ASSERT_LT(index, 2U) << line;
                ids[index] += call.Get("id").StringOr("");
                arguments[index] += call.Get("function").Get("arguments").StringOr("");
            }
        }
        EXPECT_EQ(ids[0], "aB3dE6gH9") << family.plugin;
        EXPECT_EQ(ids[1], "bC4eF7hI0") << family.plugin;
        EXPECT_EQ(arguments[0], R"({"city":"Oslo"})") << family.plugin;
        EXPECT_EQ(arguments[1], R"({"zone":"CET"})") << family.plugin;
        EXPECT_EQ(finish, "tool_calls") << family.plugin;
    }
}

TEST_F(OpenAiFamilyTest, FiftyAtOnceWithFaultsAreAnsweredByTheOthers) {
    AddRows("-main");
    AddRows("-limited");
    AddRows("-broken");
    for (const Family& family : kFamily) {
        provider().Script(family.plugin + std::string("-limited"), R"({"status":429})");
        provider().Script(family.plugin + std::string("-broken"), R"({"status":500})");
    }
    const std::string more = R"("messages":[{"role":"user","content":"Say it"}])";
    const auto wave = [&] {
        std::vector<std::function<Reply()>> questions;
        for (std::size_t i = 0; i < 55; ++i) {
            const std::string model = kFamily[i % kFamily.size()].plugin +
                                      std::string(i % 2 == 0 ? "-limited" : "-broken");
            if (i % 3 == 0) {
                questions.emplace_back([=] { return AskStreamed(model, more); });
            } else {
                questions.emplace_back([=] { return Ask(model, more); });
            }
        }
        return AtOnce(questions);
    };
    // Nobody knows yet who is well: as many as four attempts may all meet a fault.
    for (const Reply& reply : wave()) {
        const bool answered = reply.status == 200 && reply.text == "echo: Say it";
        const bool told = reply.status == 502 || reply.status == 429;
        EXPECT_TRUE(answered || told) << reply.status << " " << reply.body;
    }
    // Then the rating does.
    for (const Reply& reply : wave()) {
        EXPECT_EQ(reply.status, 200) << reply.attempts << " " << reply.body;
        EXPECT_EQ(reply.text, "echo: Say it") << reply.body;
    }
}

TEST_F(OpenAiFamilyTest, LimitsAreToldWithTheProvidersOwnHint) {
    AddRows("-limited");
    for (const Family& family : kFamily)
        provider().Script(family.plugin + std::string("-limited"), R"({"status":429})");
    std::vector<std::function<Reply()>> questions;
    for (const Family& family : kFamily) {
        const std::string model = family.plugin + std::string("-limited");
        questions.emplace_back([=] {
            return Ask(model, R"("fallback":false,"messages":[{"role":"user","content":"Hi"}])");
        });
    }
    const std::vector<Reply> replies = AtOnce(questions);
    for (std::size_t i = 0; i < replies.size(); ++i) {
        EXPECT_EQ(replies[i].status, 429) << kFamily[i].plugin << " " << replies[i].body;
        // Their hints are 1.5 or 2 seconds, Groq's 6 or 8.
        const int hint = std::atoi(replies[i].retry_after.c_str());
        EXPECT_GE(hint, 1) << kFamily[i].plugin;
        EXPECT_LE(hint, 8) << kFamily[i].plugin;
    }
}

TEST_F(OpenAiFamilyTest, AWrongKeyAndAMissingModelAreKnownInEveryBody) {
    AddRows("-key");
    AddRows("-gone");
    for (const Family& family : kFamily) {
        provider().Script(family.plugin + std::string("-key"), R"({"status":401})");
        provider().Script(family.plugin + std::string("-gone"), R"({"status":404})");
    }
    const std::string more = R"("fallback":false,"messages":[{"role":"user","content":"Hi"}])";
    for (const Family& family : kFamily) {
        const Reply key = Ask(family.plugin + std::string("-key"), more);
        EXPECT_EQ(key.status, 502) << family.plugin << " " << key.body;
        const Reply gone = Ask(family.plugin + std::string("-gone"), more);
        EXPECT_EQ(gone.status, 502) << family.plugin << " " << gone.body;
    }
    // Both are the operator's to mend: the rows are parked.
    HttpTestClient client = gateway_->Client();
    const json::Document models = Json(client.Get("/api/v1/models").body);
    for (const auto& [name, model] : models.root())
        EXPECT_EQ(model.Get("state").StringOr(""), "parked") << model.ToJson();
}

TEST_F(OpenAiFamilyTest, ABrokenStreamNeverLooksWhole) {
    AddRows("-cut");
    AddRows("-error");
    for (const Family& family : kFamily) {
        provider().Script(family.plugin + std::string("-cut"),
                          R"({"text":"a b c d","chunk_delay_ms":20,"cut_after_chunks":2})");
        provider().Script(family.plugin + std::string("-error"),
                          R"({"text":"a b c d","chunk_delay_ms":20,"error_after_chunks":2,)"
                          R"("error_in_stream":{"message":"broke","type":"server_error"}})");
    }
    std::vector<std::function<Reply()>> questions;
    for (const char* suffix : {"-cut", "-error"}) {
        for (const Family& family : kFamily) {
            const std::string model = family.plugin + std::string(suffix);
            questions.emplace_back([=] {
                return AskStreamed(model, R"("messages":[{"role":"user","content":"Hi"}])");
            });
        }
    }
    for (const Reply& reply : AtOnce(questions)) {
        EXPECT_EQ(reply.status, 200) << reply.body;
        EXPECT_EQ(reply.text, "a b") << reply.body;
        EXPECT_TRUE(reply.error) << reply.body;
        EXPECT_FALSE(reply.done) << reply.body;
    }
}

// Failing before the first content falls back unseen, though a 200 was sent.
TEST_F(OpenAiFamilyTest, AnErrorBeforeContentFallsBackUnseen) {
    AddRows("-first");
    AddModel("spare");
    for (const Family& family : kFamily)
        provider().Script(family.plugin + std::string("-first"),
                          R"({"error_in_stream":{"message":"broke","type":"server_error"}})");
    for (const Family& family : kFamily) {
        // Only the named one and the spare are there.
        const std::string model = family.plugin + std::string("-first");
        const Reply reply =
            AskStreamed(model, R"("fallback":false,"messages":[{"role":"user","content":"Hi"}])");
        EXPECT_EQ(reply.status, 502) << model << " " << reply.body;
        EXPECT_EQ(RequestsFor(model), 1U) << model;
    }
    const Reply reply = AskStreamed("xai-first", R"("messages":[{"role":"user","content":"Hi"}])");
    EXPECT_TRUE(reply.text == "echo: Hi" || reply.attempts == "4") << reply.body;
    EXPECT_EQ(reply.body.find("broke"), std::string::npos) << reply.body;
}

}  // namespace
}  // namespace aim::gateway
