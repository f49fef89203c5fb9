// The plugins with dialects of their own through the whole gateway, against a provider that speaks
// them.
#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "tests/integration/gateway/gateway_test_base.hpp"

namespace aim::gateway {
namespace {

struct Native {
    const char* plugin;
    const char* column;  // of the row
    const char* path;    // of the fake provider
    const char* header;  // that carries the key
    const char* prefix;  // before the key
    const char* variable;
    bool tools;
};

constexpr std::array<Native, 4> kNatives = {{
    {"gemini", "Google Gemini", "/as/gemini/v1beta", "x-goog-api-key", "",
     "GOOGLE_AI_STUDIO_API_KEY", true},
    {"anthropic", "Anthropic", "/as/anthropic/v1", "x-api-key", "", "ANTHROPIC_API_KEY", true},
    {"cloudflare", "Cloudflare", "/as/cloudflare/client/v4", "authorization", "Bearer ",
     "CLOUDFLARE_API_TOKEN", true},
    {"replicate", "Replicate", "/as/replicate/v1", "authorization", "Bearer ",
     "REPLICATE_API_TOKEN", false},
}};

std::string CanaryOf(const Native& native) {
    return "canary-" + std::string(native.plugin) + "-4c19e2";
}

struct Reply {
    int status = 0;
    std::string text;
    std::string body;
    std::string finish;
    std::int64_t total_tokens = -1;
    bool done = false;
    bool error = false;
};

class NativeDialectsTest : public GatewayTest {
  protected:
    static void SetUpTestSuite() {
        Environment settings = {{"CLOUDFLARE_ACCOUNT_ID", "acct1"}};
        for (const Native& native : kNatives) settings[native.variable] = CanaryOf(native);
        state_ = std::make_unique<TemporaryFolder>();
        gateway_ = std::make_unique<Service>(
            StartBusinessApi(state_->path(), stack().data_api.port, settings));
    }
    // No key was written anywhere.
    static void TearDownTestSuite() {
        EXPECT_EQ(gateway_->process->Terminate(), 0);
        for (const Native& native : kNatives)
            EXPECT_EQ(gateway_->process->output().find(CanaryOf(native)), std::string::npos);
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
        for (const Native& native : kNatives) {
            const HttpAnswer answer = data().Post(
                "/api/v1/models", "{\"name\":" + Quote(native.plugin + suffix) +
                                      ",\"provider\":" + Quote(native.column) +
                                      ",\"endpoint\":" + Quote(origin + native.path) + "}");
            ASSERT_EQ(answer.status, 201) << answer.body;
        }
        ASSERT_TRUE(Eventually([&] {
            HttpTestClient client = gateway_->Client();
            const json::Document models = Json(client.Get("/api/v1/models").body);
            std::size_t available = 0;
            for (const auto& [key, model] : models.root())
                available += model.Get("name").StringOr("").ends_with(suffix) &&
                             model.Get("state").StringOr("") == "available";
            return available == kNatives.size();
        })) << gateway_->Client().Get("/api/v1/models").body;
    }

    static Reply Ask(const std::string& model, const std::string& more) {
        HttpTestClient client = gateway_->Client();
        const HttpAnswer answer =
            client.Post("/v1/chat/completions",
                        R"({"fallback":false,"model":)" + Quote(model) + "," + more + "}", Key());
        Reply reply;
        reply.status = answer.status;
        reply.body = answer.body;
        if (answer.status != 200) return reply;
        const json::Document document = Json(answer.body);
        const json::Value choice = document.root().Get("choices").At(0);
        reply.text = choice.Get("message").Get("content").StringOr("");
        reply.finish = choice.Get("finish_reason").StringOr("");
        reply.total_tokens = document.root().Get("usage").Get("total_tokens").Int64Or(-1);
        reply.done = true;
        return reply;
    }

    static Reply AskStreamed(const std::string& model, const std::string& more) {
        StreamReader stream(
            *gateway_, "/v1/chat/completions",
            R"({"stream":true,"stream_options":{"include_usage":true},"fallback":false,"model":)" +
                Quote(model) + "," + more + "}");
        Reply reply;
        stream.ReadAll();
        reply.status = stream.head().status;
        reply.body = stream.body();
        for (const std::string& event : stream.Events()) {
            if (event == "[DONE]") {
                reply.done = true;
                continue;
            }
            const json::Document chunk = Json(event);
            const json::Value choice = chunk.root().Get("choices").At(0);
            reply.error = reply.error || chunk.root().Get("error").exists();
            reply.text += choice.Get("delta").Get("content").StringOr("");
            reply.finish += choice.Get("finish_reason").StringOr("");
            reply.total_tokens =
                chunk.root().Get("usage").Get("total_tokens").Int64Or(reply.total_tokens);
        }
        return reply;
    }

    static std::unique_ptr<TemporaryFolder> state_;
    static std::unique_ptr<Service> gateway_;
};

std::unique_ptr<TemporaryFolder> NativeDialectsTest::state_;
std::unique_ptr<Service> NativeDialectsTest::gateway_;

constexpr std::string_view kMessages =
    R"("max_tokens":50,"temperature":0.5,"messages":[{"role":"system","content":"Be brief."},)"
    R"({"role":"user","content":"Say it"}])";

TEST_F(NativeDialectsTest, AnswersWholeAndStreamed) {
    AddRows("-main");
    for (const Native& native : kNatives) {
        const std::string model = native.plugin + std::string("-main");
        SCOPED_TRACE(model);
        provider().Script(model,
                          R"({"text":"one two three","prompt_tokens":12,"completion_tokens":9})");
        for (const Reply& reply :
             {Ask(model, std::string(kMessages)), AskStreamed(model, std::string(kMessages))}) {
            EXPECT_EQ(reply.status, 200) << reply.body;
            EXPECT_EQ(reply.text, "one two three") << reply.body;
            EXPECT_EQ(reply.finish, "stop") << reply.body;
            EXPECT_EQ(reply.total_tokens, 21) << reply.body;
            EXPECT_TRUE(reply.done) << reply.body;
        }
    }
    // Each got its own key, in its header only.
    for (const RecordedRequest& request : provider().Requests()) {
        for (const Native& native : kNatives) {
            if (request.model != native.plugin + std::string("-main")) continue;
            EXPECT_EQ(request.Header(native.header), native.prefix + CanaryOf(native));
        }
        EXPECT_EQ(request.path.find("canary"), std::string::npos);
        EXPECT_EQ(request.body.find("canary"), std::string::npos);
    }
    // Replicate was asked to create, and then asked again.
    EXPECT_GE(RequestsFor("replicate-main"), 5U);
}

TEST_F(NativeDialectsTest, ToolCallsArriveInOpenAisShape) {
    AddRows("-tools");
    const std::string more =
        R"("messages":[{"role":"user","content":"Hi"}],"tools":[{"type":"function","function":)"
        R"({"name":"get_weather","parameters":{"type":"object"}}}])";
    for (const Native& native : kNatives) {
        const std::string model = native.plugin + std::string("-tools");
        SCOPED_TRACE(model);
        provider().Script(model,
                          R"({"tool_calls":[{"name":"get_weather","arguments":{"city":"Oslo"}}]})");
        if (!native.tools) {
            const Reply reply = Ask(model, more);
            EXPECT_EQ(reply.status, 400) << reply.body;
            EXPECT_NE(reply.body.find("tools"), std::string::npos) << reply.body;
            continue;
        }
        const Reply whole = Ask(model, more);
        EXPECT_EQ(whole.finish, "tool_calls") << whole.body;
        const json::Document document = Json(whole.body);
        const json::Value call =
            document.root().Get("choices").At(0).Get("message").Get("tool_calls").At(0);
        EXPECT_FALSE(call.Get("id").StringOr("").empty()) << whole.body;
        EXPECT_EQ(call.Get("function").Get("name").StringOr(""), "get_weather") << whole.body;
        EXPECT_EQ(call.Get("function").Get("arguments").StringOr(""), R"({"city":"Oslo"})")
            << whole.body;
        const Reply streamed = AskStreamed(model, more);
        EXPECT_EQ(streamed.finish, "tool_calls") << streamed.body;
        EXPECT_NE(streamed.body.find(R"("name":"get_weather")"), std::string::npos)
            << streamed.body;
    }
}

TEST_F(NativeDialectsTest, WhoeverEmbedsDoesSoAHundredAtATime) {
    AddRows("-embed");
    std::string inputs;
    for (int i = 0; i < 101; ++i) inputs += std::string(i == 0 ? "" : ",") + "\"four\"";
    for (const Native& native : kNatives) {
        SCOPED_TRACE(native.plugin);
        const std::string model = native.plugin + std::string("-embed");
        HttpTestClient client = gateway_->Client();
        const std::size_t before = provider().Requests().size();
        const HttpAnswer answer = client.Post(
            "/v1/embeddings", "{\"model\":" + Quote(model) + ",\"input\":[" + inputs + "]}", Key());
        const bool embeds = std::string_view(native.plugin) == "gemini" ||
                            std::string_view(native.plugin) == "cloudflare";
        if (!embeds) {
            ExpectOpenAi(answer, 400, "unsupported");
            continue;
        }
        ASSERT_EQ(answer.status, 200) << answer.body;
        const json::Document document = Json(answer.body);
        ASSERT_EQ(document.root().Get("data").size(), 101U);
        EXPECT_EQ(document.root().Get("data").At(100).Get("embedding").ToJson(), "[4,1,1]");
        EXPECT_EQ(provider().Requests().size() - before, 2U);
    }
}

TEST_F(NativeDialectsTest, TheSignatureOfACallComesBackToGemini) {
    AddRows("-sign");
    provider().Script("gemini-sign",
                      R"([{"tool_calls":[{"name":"f","arguments":{}}]},{"text":"ok"}])");
    const Reply first = Ask("gemini-sign", R"("messages":[{"role":"user","content":"Hi"}])");
    const json::Document document = Json(first.body);
    const json::Value message = document.root().Get("choices").At(0).Get("message");
    const std::string id(message.Get("tool_calls").At(0).Get("id").StringOr(""));
    ASSERT_FALSE(id.empty()) << first.body;
    const Reply second = Ask(
        "gemini-sign", R"("messages":[{"role":"user","content":"Hi"},)" + message.ToJson() +
                           R"(,{"role":"tool","content":"7","tool_call_id":)" + Quote(id) + "}]");
    EXPECT_EQ(second.text, "ok") << second.body;
    const std::string body = provider().Requests().back().body;
    EXPECT_NE(body.find(R"("thoughtSignature":"c2ln")"), std::string::npos) << body;
    EXPECT_NE(body.find(R"("functionResponse")"), std::string::npos) << body;
}

TEST_F(NativeDialectsTest, FaultsAreToldAndABrokenStreamNeverLooksWhole) {
    for (const char* suffix : {"-limited", "-key", "-cut", "-error"}) AddRows(suffix);
    const std::string more = R"("messages":[{"role":"user","content":"Hi"}])";
    for (const Native& native : kNatives) {
        const std::string name = native.plugin;
        SCOPED_TRACE(name);
        provider().Script(name + "-limited", R"({"status":429,"headers":{"retry-after":"60"}})");
        provider().Script(name + "-key", R"({"status":401})");
        provider().Script(name + "-cut", R"({"text":"a b c d","cut_after_chunks":2})");
        provider().Script(name + "-error",
                          R"({"text":"a b c d","error_after_chunks":2,"error_in_stream":{}})");
        // Cloudflare's is the day's allocation: the model is parked.
        EXPECT_EQ(Ask(name + "-limited", more).status, name == "cloudflare" ? 502 : 429);
        EXPECT_EQ(Ask(name + "-key", more).status, 502);
        for (const char* suffix : {"-cut", "-error"}) {
            const Reply reply = AskStreamed(name + suffix, more);
            // What was read may come with the fault in one piece; then there is nothing to tell.
            EXPECT_FALSE(reply.done) << suffix << " " << reply.body;
            EXPECT_TRUE(reply.error || reply.status == 502) << suffix << " " << reply.body;
            EXPECT_NE(reply.text, "a b c d") << suffix;
        }
    }
}

}  // namespace
}  // namespace aim::gateway
