// The plugins with dialects of their own through the whole gateway, against a provider that speaks
// them.
#include <string>
#include <string_view>

#include "tests/integration/providers/providers_test_base.hpp"

namespace aim::gateway {
namespace {

class NativeDialectsTest : public ProvidersTest {
  protected:
    static void SetUpTestSuite() { StartGateway(kNatives); }
    static void TearDownTestSuite() { StopGateway(); }

    // Each by itself: no other model answers in its place.
    static Reply Ask(const std::string& model, const std::string& more) {
        return ProvidersTest::Ask(model, R"("fallback":false,)" + more);
    }
    static Reply AskStreamed(const std::string& model, const std::string& more) {
        return ProvidersTest::AskStreamed(model, R"("fallback":false,)" + more);
    }
};

constexpr std::string_view kMessages =
    R"("max_tokens":50,"temperature":0.5,"messages":[{"role":"system","content":"Be brief."},)"
    R"({"role":"user","content":"Say it"}])";

TEST_F(NativeDialectsTest, AnswersWholeAndStreamed) {
    AddRows(kNatives, "-main");
    for (const Provider& native : kNatives) {
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
        for (const Provider& native : kNatives) {
            if (request.model != native.plugin + std::string("-main")) continue;
            EXPECT_EQ(request.Header(native.header), AuthorizationOf(native));
        }
        EXPECT_EQ(request.path.find("canary"), std::string::npos);
        EXPECT_EQ(request.body.find("canary"), std::string::npos);
    }
    // Replicate was asked to create, and then asked again.
    EXPECT_GE(RequestsFor("replicate-main"), 5U);
}

TEST_F(NativeDialectsTest, ToolCallsArriveInOpenAisShape) {
    AddRows(kNatives, "-tools");
    const std::string more =
        R"("messages":[{"role":"user","content":"Hi"}],"tools":[{"type":"function","function":)"
        R"({"name":"get_weather","parameters":{"type":"object"}}}])";
    for (const Provider& native : kNatives) {
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
    AddRows(kNatives, "-embed");
    std::string inputs;
    for (int i = 0; i < 101; ++i) inputs += std::string(i == 0 ? "" : ",") + "\"four\"";
    for (const Provider& native : kNatives) {
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
    AddRows(kNatives, "-sign");
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
    for (const char* suffix : {"-limited", "-key", "-cut", "-error"}) AddRows(kNatives, suffix);
    const std::string more = R"("messages":[{"role":"user","content":"Hi"}])";
    for (const Provider& native : kNatives) {
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
