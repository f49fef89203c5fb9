#include "tests/integration/gateway/gateway_test_base.hpp"

namespace aim::gateway {
namespace {

TEST_F(GatewayTest, APromptIsAnsweredByThePluginAndCounted) {
    const std::string id = AddModel("plain");
    provider().Script("plain",
                      R"({"text":"Superposition.","prompt_tokens":12,"completion_tokens":3})");
    const HttpAnswer answer = Prompt(
        R"("prompt":"Explain","system":"Be brief.","user_id":"telegram_42","username":"anna",
           "max_tokens":50,"temperature":0.5)");
    ASSERT_EQ(answer.status, 200) << answer.body;
    const json::Document document = Json(answer.body);
    const json::Value root = document.root();
    EXPECT_EQ(root.Get("response").StringOr(""), "Superposition.");
    EXPECT_EQ(root.Get("model_used").Get("id").StringOr(""), id);
    EXPECT_EQ(root.Get("model_used").Get("name").StringOr(""), "plain");
    EXPECT_EQ(root.Get("model_used").Get("provider").StringOr(""), "groq");
    EXPECT_GT(root.Get("model_used").Get("reliability_score").DoubleOr(0), 90);
    EXPECT_GE(root.Get("processing_time_ms").Int64Or(-1), 0);
    EXPECT_EQ(root.Get("usage").Get("prompt_tokens").Int64Or(0), 12);
    EXPECT_EQ(root.Get("usage").Get("completion_tokens").Int64Or(0), 3);
    EXPECT_EQ(root.Get("usage").Get("total_tokens").Int64Or(0), 15);
    EXPECT_EQ(root.Get("finish_reason").StringOr(""), "stop");
    ASSERT_EQ(root.Get("attempts").size(), 1U);
    EXPECT_EQ(root.Get("attempts").At(0).Get("model").StringOr(""), "plain");
    EXPECT_EQ(root.Get("attempts").At(0).Get("outcome").StringOr(""), "success");

    const std::string request_id = answer.Header("X-Request-Id");
    EXPECT_EQ(root.Get("request_id").StringOr(""), request_id);
    EXPECT_EQ(answer.Header("X-AIManager-Model"), "plain");
    EXPECT_EQ(answer.Header("X-AIManager-Provider"), "groq");
    EXPECT_EQ(answer.Header("X-AIManager-Attempts"), "1");
    EXPECT_NE(answer.Header("X-AIManager-Score"), "");
    EXPECT_NE(answer.Header("X-AIManager-Overhead-Us"), "");

    const auto requests = provider().Requests();
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_EQ(requests[0].method, "POST");
    EXPECT_EQ(requests[0].path, "/openai/v1/chat/completions");
    EXPECT_EQ(requests[0].Header("Authorization"), "Bearer " + std::string(kCanary));
    // The caller's own key stays here.
    for (const auto& [name, value] : requests[0].headers)
        EXPECT_EQ(value.find(kCallerKey), std::string::npos) << name;
    const json::Document sent = Json(requests[0].body);
    EXPECT_EQ(sent.root().Get("model").StringOr(""), "plain");
    ASSERT_EQ(sent.root().Get("messages").size(), 2U);
    EXPECT_EQ(sent.root().Get("messages").At(0).Get("content").StringOr(""), "Be brief.");
    EXPECT_EQ(sent.root().Get("messages").At(1).Get("content").StringOr(""), "Explain");
    EXPECT_FALSE(sent.root().Get("username").exists());

    const json::Document row = HistoryRow(request_id);
    EXPECT_EQ(row.root().Get("status").StringOr(""), "success");
    EXPECT_EQ(row.root().Get("prompt_text").StringOr(""), "Explain");
    EXPECT_EQ(row.root().Get("response_text").StringOr(""), "Superposition.");
    EXPECT_EQ(row.root().Get("user_id").StringOr(""), "telegram_42");
    EXPECT_EQ(row.root().Get("user_telegram_id").Int64Or(0), 42);
    EXPECT_EQ(row.root().Get("username").StringOr(""), "anna");
    EXPECT_EQ(row.root().Get("ai_model_id").StringOr(""), id);
    EXPECT_EQ(row.root().Get("model_name").StringOr(""), "plain");
    EXPECT_EQ(row.root().Get("attempts").Int64Or(0), 1);
    const json::Document model = Json(data().Get("/models/" + id).body);
    EXPECT_EQ(model.root().Get("total_requests").Int64Or(0), 1);
    EXPECT_EQ(model.root().Get("successful_requests").Int64Or(0), 1);
    EXPECT_EQ(model.root().Get("failed_requests").Int64Or(-1), 0);
}

TEST_F(GatewayTest, TheOpenAiPathAnswersInOpenAisShape) {
    AddModel("shape");
    provider().Script("shape", R"({"text":"Four."})");
    const HttpAnswer answer = Chat(
        R"("model":"shape","user":"u7","fallback":true,"top_p":0.5,
           "messages":[{"role":"user","content":"2+2?"}])");
    ASSERT_EQ(answer.status, 200) << answer.body;
    const json::Document document = Json(answer.body);
    EXPECT_EQ(document.root().Get("object").StringOr(""), "chat.completion");
    EXPECT_EQ(document.root().Get("model").StringOr(""), "shape");
    const json::Value choice = document.root().Get("choices").At(0);
    EXPECT_EQ(choice.Get("message").Get("content").StringOr(""), "Four.");
    EXPECT_EQ(choice.Get("message").Get("role").StringOr(""), "assistant");
    EXPECT_EQ(choice.Get("finish_reason").StringOr(""), "stop");
    const auto requests = provider().Requests();
    ASSERT_EQ(requests.size(), 1U);
    const json::Document sent = Json(requests[0].body);
    EXPECT_EQ(sent.root().Get("top_p").DoubleOr(0), 0.5);  // unknown to us, passed on
    EXPECT_FALSE(sent.root().Get("fallback").exists());
    const json::Document row = HistoryRow(answer.Header("X-Request-Id"));
    EXPECT_EQ(row.root().Get("prompt_text").StringOr(""), "2+2?");
    EXPECT_EQ(row.root().Get("user_id").StringOr(""), "u7");
}

struct Fault {
    const char* name;
    const char* step;
    const char* outcome;
    // A kept connection that ends before the first byte of an answer is taken for a stale one: the
    // client sends once more on a fresh connection, which is still the same attempt.
    std::size_t most_sends = 1;
};

constexpr Fault kFaults[] = {
    {"status_500", R"({"status":500})", "upstream_failure"},
    {"status_429", R"({"status":429,"headers":{"retry-after":"120"}})", "rate_limited"},
    {"reset", R"({"reset":true})", "upstream_failure", 2},
    {"garbage", R"({"garbage":true})", "protocol_error"},
    {"garbage_head", R"({"garbage_head":true})", "protocol_error"},
    {"closed", R"({"cut_before_head":true})", "upstream_failure", 2},
    {"error_in_200", R"({"error_in_stream":{"message":"overloaded","type":"overloaded_error"}})",
     "overloaded"},
    {"truncated", R"({"text":"a b c d","cut_after_bytes":12})", "upstream_failure"},
};

TEST_F(GatewayTest, EveryFaultFallsBackToTheNextBest) {
    AddModel("good");
    provider().Script("good", R"({"text":"From good."})");
    for (const Fault& fault : kFaults) {
        SCOPED_TRACE(fault.name);
        const std::string bad = fault.name;
        AddModel(bad);
        provider().Script(bad, fault.step);
        const HttpAnswer answer = Prompt(R"("prompt":"Hello","model":)" + Quote(bad));
        ASSERT_EQ(answer.status, 200) << answer.body;
        EXPECT_EQ(answer.Header("X-AIManager-Model"), "good");
        EXPECT_EQ(answer.Header("X-AIManager-Attempts"), "2");
        const json::Document document = Json(answer.body);
        EXPECT_EQ(document.root().Get("response").StringOr(""), "From good.");
        const json::Value attempts = document.root().Get("attempts");
        ASSERT_EQ(attempts.size(), 2U) << answer.body;
        EXPECT_EQ(attempts.At(0).Get("model").StringOr(""), bad);
        EXPECT_EQ(attempts.At(0).Get("outcome").StringOr(""), fault.outcome);
        EXPECT_EQ(attempts.At(1).Get("model").StringOr(""), "good");
        EXPECT_EQ(attempts.At(1).Get("outcome").StringOr(""), "success");
        EXPECT_GE(RequestsFor(bad), 1U);
        EXPECT_LE(RequestsFor(bad), fault.most_sends);
        EXPECT_EQ(HistoryRow(answer.Header("X-Request-Id")).root().Get("attempts").Int64Or(0), 2);
    }
}

TEST_F(GatewayTest, AStreamFallsBackUnseenBeforeItsFirstContent) {
    AddModel("good");
    provider().Script("good", R"({"text":"From good."})");
    for (const Fault& fault : kFaults) {
        SCOPED_TRACE(fault.name);
        const std::string bad = fault.name;
        AddModel(bad);
        provider().Script(bad, fault.step);
        StreamReader stream(
            stack().business_api, "/v1/chat/completions",
            R"({"stream":true,"messages":[{"role":"user","content":"x"}],"model":)" + Quote(bad) +
                "}");
        ASSERT_TRUE(stream.ReadAll()) << stream.body();
        ASSERT_EQ(stream.head().status, 200) << stream.body();
        EXPECT_EQ(stream.head().Header("X-AIManager-Model"), "good");
        EXPECT_EQ(stream.head().Header("X-AIManager-Attempts"), "2");
        EXPECT_EQ(stream.body().find("\"error\""), std::string::npos) << stream.body();
        ASSERT_FALSE(stream.Events().empty());
        EXPECT_EQ(stream.Events().back(), "[DONE]");
        EXPECT_GE(RequestsFor(bad), 1U);
        EXPECT_LE(RequestsFor(bad), fault.most_sends);
    }
}

TEST_F(GatewayTest, FallbackFalseIsObeyed) {
    AddModel("spare");
    AddModel("failing");
    provider().Script("failing", R"({"status":500})");
    const HttpAnswer native = Prompt(R"("prompt":"x","model":"failing","fallback":false)");
    ExpectNative(native, 502, "all_models_failed");
    EXPECT_EQ(Json(native.body).root().Get("context").Get("attempts").size(), 1U);
    const HttpAnswer open_ai =
        Chat(R"("model":"failing","fallback":false,"messages":[{"role":"user","content":"x"}])");
    ExpectOpenAi(open_ai, 502, "all_models_failed");
    EXPECT_EQ(RequestsFor("failing"), 2U);
    EXPECT_EQ(RequestsFor("spare"), 0U);
}

TEST_F(GatewayTest, WhenAllFailTheAnswerTellsEveryAttempt) {
    AddModel("first");
    AddModel("second");
    provider().Script("first", R"({"status":500})");
    provider().Script("second", R"({"status":503})");
    const HttpAnswer answer = Prompt(R"("prompt":"x","model":"first")");
    ExpectNative(answer, 502, "all_models_failed");
    EXPECT_EQ(answer.Header("X-Should-Retry"), "false");
    const json::Document document = Json(answer.body);
    const json::Value attempts = document.root().Get("context").Get("attempts");
    ASSERT_EQ(attempts.size(), 2U) << answer.body;
    EXPECT_EQ(attempts.At(0).Get("model").StringOr(""), "first");
    EXPECT_EQ(attempts.At(0).Get("outcome").StringOr(""), "upstream_failure");
    EXPECT_EQ(attempts.At(1).Get("model").StringOr(""), "second");
    EXPECT_EQ(attempts.At(1).Get("outcome").StringOr(""), "overloaded");
    const json::Document row = HistoryRow(answer.Header("X-Request-Id"));
    EXPECT_EQ(row.root().Get("status").StringOr(""), "error");
    EXPECT_FALSE(row.root().Get("error_message").StringOr("").empty());

    // A stream that never began fails with a proper status, not with an event.
    StreamReader stream(
        stack().business_api, "/v1/chat/completions",
        R"({"stream":true,"model":"first","messages":[{"role":"user","content":"x"}]})");
    EXPECT_TRUE(stream.ReadAll());
    EXPECT_EQ(stream.head().status, 502) << stream.body();
    EXPECT_EQ(stream.head().Header("X-Should-Retry"), "false");
    EXPECT_EQ(Json(stream.body()).root().Get("error").Get("code").StringOr(""),
              "all_models_failed");
}

TEST_F(GatewayTest, WhenAllAreRateLimitedTheSoonestReturnIsTold) {
    AddModel("limited-a");
    AddModel("limited-b");
    provider().Script("limited-a", R"({"status":429,"headers":{"retry-after":"120"}})");
    provider().Script("limited-b", R"({"status":429,"headers":{"retry-after":"180"}})");
    for (int round = 0; round < 2; ++round) {  // the second finds both cooling down
        const HttpAnswer answer = Prompt(R"("prompt":"x")");
        ExpectNative(answer, 429, "rate_limited");
        const int retry_after = std::atoi(answer.Header("Retry-After").c_str());
        EXPECT_GT(retry_after, 100);
        EXPECT_LE(retry_after, 121);
    }
    EXPECT_EQ(RequestsFor("limited-a"), 1U);
    EXPECT_EQ(RequestsFor("limited-b"), 1U);
    EXPECT_TRUE(Eventually([&] { return StateOf("limited-a") == "cooling_down"; }))
        << StateOf("limited-a");
    ExpectOpenAi(Chat(R"("messages":[{"role":"user","content":"x"}])"), 429, "rate_limited");
}

TEST_F(GatewayTest, AProvidersRefusalOfTheRequestIsTheAnswer) {
    AddModel("strict");
    AddModel("other");
    provider().Script("strict",
                      R"({"status":400,"body":{"error":{"message":"temperature is too high",
                          "type":"invalid_request_error","code":"bad"}}})");
    const HttpAnswer answer = Prompt(R"("prompt":"x","model":"strict")");
    ExpectNative(answer, 400, "invalid_request");
    EXPECT_NE(answer.body.find("temperature is too high"), std::string::npos) << answer.body;
    EXPECT_EQ(RequestsFor("other"), 0U);
}

}  // namespace
}  // namespace aim::gateway
