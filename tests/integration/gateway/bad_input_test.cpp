#include "tests/integration/gateway/gateway_test_base.hpp"

namespace aim::gateway {
namespace {

using namespace std::string_literals;

struct BadBody {
    const char* name;
    std::string native;
    std::string open_ai;
    int status;
    const char* code;
};

std::string Nested(const std::string& before, const std::string& after) {
    return before + std::string(10'000, '[') + std::string(10'000, ']') + after;
}

const std::string kMessages = R"("messages":[{"role":"user","content":"x"}])";

std::vector<BadBody> BadBodies() {
    return {
        {"not JSON", "prompt=hello", "prompt=hello", 400, "invalid_json"},
        {"cut off", R"({"prompt":"x")", "{" + kMessages, 400, "invalid_json"},
        {"NUL byte", "{\"prompt\":\"a\0b\"}"s,
         "{\"messages\":[{\"role\":\"user\",\"content\":\"a\0b\"}]}"s, 400, "invalid_json"},
        {"duplicate keys", R"({"prompt":"x","prompt":"y"})",
         "{" + kMessages + "," + kMessages + "}", 400, "invalid_json"},
        {"bytes after the value", R"({"prompt":"x"} y)", "{" + kMessages + "} y", 400,
         "invalid_json"},
        {"bad UTF-8", "{\"prompt\":\"a\xff\"}",
         "{\"messages\":[{\"role\":\"user\",\"content\":\"a\xff\"}]}", 400, "invalid_json"},
        {"lone surrogate", R"({"prompt":"\ud800"})",
         R"({"messages":[{"role":"user","content":"\ud800"}]})", 400, "invalid_json"},
        {"10,000 levels", Nested(R"({"prompt":"x","more":)", "}"),
         Nested("{" + kMessages + R"(,"more":)", "}"), 400, "invalid_json"},
        {"no object", R"("hello")", R"([1])", 400, ""},
        {"wrong type", R"({"prompt":5})", R"({"messages":5})", 400, "invalid_request"},
        {"wrong type of the model", R"({"prompt":"x","model":[1]})",
         "{" + kMessages + R"(,"model":[1]})", 400, "invalid_request"},
        {"nothing to answer", R"({"prompt":""})", R"({"messages":[]})", 400, "invalid_request"},
        {"missing", "{}", "{}", 400, "invalid_request"},
        {"unknown model", R"({"prompt":"x","model":"nobody"})",
         "{" + kMessages + R"(,"model":"nobody"})", 404, "model_not_found"},
    };
}

TEST_F(GatewayTest, BadBodiesAreRefusedInTheCallersProtocol) {
    AddModel("fine");
    for (const BadBody& bad : BadBodies()) {
        SCOPED_TRACE(bad.name);
        const HttpAnswer native = business().Post("/api/v1/prompts", bad.native, Key());
        const HttpAnswer open_ai = business().Post("/v1/chat/completions", bad.open_ai, Key());
        std::string code = bad.code;
        if (code.empty()) code = Json(native.body).root().Get("error_code").StringOr("");
        ExpectNative(native, bad.status, code);
        ExpectOpenAi(open_ai, bad.status, code);
    }
    const HttpAnswer wrong = business().Post("/api/v1/prompts", R"({"prompt":5})", Key());
    EXPECT_EQ(Json(wrong.body).root().Get("context").Get("field").StringOr(""), "prompt");
    EXPECT_TRUE(provider().Requests().empty());
    EXPECT_EQ(Prompt(R"("prompt":"x")").status, 200);
}

TEST_F(GatewayTest, ABodyOverTheLimitIsRefusedAndTheClientCanReadIt) {
    const std::string text(std::size_t{40} << 20, 'x');
    const std::string native = R"({"prompt":")" + text + "\"}";
    ExpectNative(business().Post("/api/v1/prompts", native, Key()), 413, "body_too_large");
    const std::string chat = R"({"messages":[{"role":"user","content":")" + text + "\"}]}";
    ExpectOpenAi(business().Post("/v1/chat/completions", chat, Key()), 413, "body_too_large");
    EXPECT_EQ(business().Get("/health").status, 200);
}

TEST_F(GatewayTest, UnknownPathsAndMethodsAreTold) {
    ExpectNative(business().Get("/api/v1/nowhere", Key()), 404, "not_found");
    ExpectOpenAi(business().Get("/v1/nowhere", Key()), 404, "not_found");
    const HttpAnswer native = business().Get("/api/v1/prompts", Key());
    ExpectNative(native, 405, "method_not_allowed");
    EXPECT_NE(native.Header("Allow").find("POST"), std::string::npos) << native.Header("Allow");
    const HttpAnswer open_ai = business().Request("DELETE", "/v1/chat/completions", "", Key());
    ExpectOpenAi(open_ai, 405, "method_not_allowed");
    EXPECT_NE(open_ai.Header("Allow").find("POST"), std::string::npos) << open_ai.Header("Allow");
}

TEST_F(GatewayTest, KeysAreAskedForExceptOnOpenPaths) {
    AddModel("guarded");
    const std::string native = R"({"prompt":"x"})";
    const std::string chat = "{" + kMessages + "}";
    const HttpHeaders wrong = {{"X-API-Key", "wrong"}};
    const HttpHeaders wrong_bearer = {{"Authorization", "Bearer wrong"}};
    ExpectNative(business().Post("/api/v1/prompts", native), 401, "missing_api_key");
    ExpectNative(business().Post("/api/v1/prompts", native, wrong), 401, "invalid_api_key");
    ExpectOpenAi(business().Post("/v1/chat/completions", chat), 401, "missing_api_key");
    ExpectOpenAi(business().Post("/v1/chat/completions", chat, wrong_bearer), 401,
                 "invalid_api_key");
    ExpectNative(business().Get("/api/v1/plugins"), 401, "missing_api_key");
    EXPECT_TRUE(provider().Requests().empty());
    const HttpHeaders bearer = {{"Authorization", "Bearer " + std::string(kCallerKey)}};
    EXPECT_EQ(business().Post("/v1/chat/completions", chat, bearer).status, 200);
    for (const char* path :
         {"/health", "/ready", "/metrics", "/docs", "/openapi.json", "/api/v1/models"})
        EXPECT_EQ(business().Get(path).status, 200) << path;
}

// A folder that is empty, or mistyped: nobody sends prompts to who cannot serve any.
TEST_F(GatewayTest, WithoutAnyPluginItIsNotReady) {
    const TemporaryFolder state;
    const Service business =
        StartBusinessApi(state.path(), stack().data_api.port,
                         {{"PLUGIN_PATH", (state.path() / "plugins").string()}});
    ASSERT_TRUE(business.process->WaitUntil([&] {
        return business.Client().Get("/ready").body.find("no catalogue yet") == std::string::npos;
    }));
    const HttpAnswer ready = business.Client().Get("/ready");
    EXPECT_EQ(ready.status, 503) << ready.body;
    EXPECT_EQ(Json(ready.body).root().Get("checks").Get("plugins").Get("loaded").Int64Or(-1), 0);
    std::filesystem::copy_file(AIM_BINARY_DIR "/plugins/mock.so",
                               state.path() / "plugins" / "mock.so");
    EXPECT_TRUE(Eventually([&] { return business.Client().Get("/ready").status == 200; }));
}

TEST_F(GatewayTest, ARowWithoutAPluginIsShownAndNeverChosen) {
    AddModel("orphan", "", "nobody", "no_plugin");
    const HttpAnswer answer = Prompt(R"("prompt":"x","model":"orphan","fallback":false)");
    ExpectNative(answer, 503, "no_model_available");
    EXPECT_NE(answer.Header("Retry-After"), "");
    ExpectOpenAi(Chat(kMessages), 503, "no_model_available");
    AddModel("playing");
    const HttpAnswer other = Prompt(R"("prompt":"x","model":"orphan")");
    EXPECT_EQ(other.status, 200) << other.body;
    EXPECT_EQ(other.Header("X-AIManager-Model"), "playing");
}

// PostgreSQL cannot hold it in a text, and yet it is valid JSON.
TEST_F(GatewayTest, AnEscapedNulInAPromptDoesNotLoseItsHistory) {
    AddModel("nul");
    provider().Script("nul", R"({"text":"fine"})");
    const HttpAnswer answer = Prompt(R"("prompt":"a\u0000b")");
    ASSERT_EQ(answer.status, 200) << answer.body;
    const json::Document row = HistoryRow(answer.Header("X-Request-Id"));
    EXPECT_EQ(row.root().Get("prompt_text").StringOr(""),
              "a\xef\xbf\xbd"
              "b");
}

}  // namespace
}  // namespace aim::gateway
