#include <signal.h>

#include "tests/integration/gateway/gateway_test_base.hpp"

namespace aim::gateway {
namespace {

using std::chrono::seconds;

std::string StreamBody(const std::string& model, const std::string& more = "") {
    return R"({"stream":true,"model":)" + Quote(model) + more +
           R"(,"messages":[{"role":"user","content":"Say it"}]})";
}

std::string TextOf(const std::vector<std::string>& events) {
    std::string text;
    for (const std::string& event : events) {
        if (event == "[DONE]") continue;
        const json::Document chunk = Json(event);
        text += chunk.root().Get("choices").At(0).Get("delta").Get("content").StringOr("");
    }
    return text;
}

TEST_F(GatewayTest, AStreamHasChunksThenUsageThenDone) {
    AddModel("streaming");
    provider().Script("streaming",
                      R"({"text":"one two three","prompt_tokens":5,"completion_tokens":3})");
    StreamReader stream(stack().business_api, "/v1/chat/completions",
                        StreamBody("streaming", R"(,"stream_options":{"include_usage":true})"));
    ASSERT_TRUE(stream.ReadAll()) << stream.body();
    ASSERT_EQ(stream.head().status, 200) << stream.body();
    EXPECT_TRUE(stream.head().Header("Content-Type").starts_with("text/event-stream"));
    EXPECT_EQ(stream.head().Header("X-AIManager-Model"), "streaming");
    EXPECT_EQ(stream.head().Header("X-AIManager-Attempts"), "1");
    const auto events = stream.Events();
    ASSERT_GE(events.size(), 4U) << stream.body();
    EXPECT_EQ(events.back(), "[DONE]");
    EXPECT_EQ(TextOf(events), "one two three");
    const json::Document usage = Json(events[events.size() - 2]);
    EXPECT_EQ(usage.root().Get("choices").size(), 0U) << stream.body();
    EXPECT_EQ(usage.root().Get("usage").Get("total_tokens").Int64Or(0), 8) << stream.body();
    const json::Document first = Json(events[0]);
    EXPECT_EQ(first.root().Get("object").StringOr(""), "chat.completion.chunk");
    EXPECT_EQ(first.root().Get("model").StringOr(""), "streaming");
    const json::Document row = HistoryRow(stream.head().Header("X-Request-Id"));
    EXPECT_EQ(row.root().Get("status").StringOr(""), "success");
    EXPECT_EQ(row.root().Get("response_text").StringOr(""), "one two three");

    StreamReader plain(stack().business_api, "/v1/chat/completions", StreamBody("streaming"));
    ASSERT_TRUE(plain.ReadAll());
    EXPECT_EQ(plain.Events().back(), "[DONE]");
    EXPECT_EQ(plain.body().find("total_tokens"), std::string::npos) << plain.body();
}

TEST_F(GatewayTest, AStreamCutAfterContentEndsWithAnErrorEvent) {
    AddModel("spare");
    for (const char* step :
         {R"({"text":"a b c d","chunk_delay_ms":150,"cut_after_chunks":2})",
          R"({"text":"a b c d","chunk_delay_ms":150,"cut_after_chunks":2,"reset":true})",
          R"({"text":"a b c d","chunk_delay_ms":150,"garbage":true,"error_after_chunks":2})",
          R"({"text":"a b c d","chunk_delay_ms":150,"error_after_chunks":2,
                                 "error_in_stream":{"message":"boom","type":"server_error"}})"}) {
        SCOPED_TRACE(step);
        static int number = 0;
        const std::string name = "cut-" + std::to_string(++number);
        AddModel(name);
        provider().Script(name, step);
        StreamReader stream(stack().business_api, "/v1/chat/completions", StreamBody(name));
        ASSERT_TRUE(stream.ReadAll()) << stream.body();
        const auto events = stream.Events();
        ASSERT_FALSE(events.empty());
        EXPECT_EQ(stream.body().find("[DONE]"), std::string::npos) << stream.body();
        const json::Document last = Json(events.back());
        EXPECT_FALSE(last.root().Get("error").Get("message").StringOr("").empty()) << stream.body();
        const json::Document row = HistoryRow(stream.head().Header("X-Request-Id"));
        EXPECT_EQ(row.root().Get("status").StringOr(""), "error");
        EXPECT_EQ(row.root().Get("response_text").StringOr(""), TextOf(events));
        EXPECT_TRUE(TextOf(events).starts_with("a")) << stream.body();
    }
    EXPECT_EQ(RequestsFor("spare"), 0U);
}

TEST_F(GatewayTest, AClientThatLeavesEndsTheUpstreamCall) {
    const std::string id = AddModel("silent");
    provider().Script("silent", R"({"never_answer":true})");
    for (const bool streamed : {false, true}) {
        SCOPED_TRACE(streamed);
        HttpTestClient client = stack().business_api.Client();
        const std::string body =
            streamed ? StreamBody("silent") : R"({"prompt":"Say it","model":"silent"})";
        ASSERT_TRUE(client.Send(
            "POST " + std::string(streamed ? "/v1/chat/completions" : "/api/v1/prompts") +
            " HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nX-Request-Id: leaver-" +
            std::to_string(static_cast<int>(streamed)) +
            "\r\nX-API-Key: " + std::string(kCallerKey) +
            "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body));
        const std::size_t count = streamed ? 2 : 1;
        ASSERT_TRUE(provider().WaitForRequests(count));
        client.Close();
        EXPECT_TRUE(provider().WaitFor(
            [&](const auto& requests) {
                return requests.size() == count &&
                       requests.back().client_closed_after_ms.has_value();
            },
            seconds(5)));
        const json::Document row =
            HistoryRow("leaver-" + std::to_string(static_cast<int>(streamed)));
        EXPECT_EQ(row.root().Get("status").StringOr(""), "cancelled");
    }
    // It is nobody's fault.
    EXPECT_EQ(Json(data().Get("/models/" + id).body).root().Get("failed_requests").Int64Or(-1), 0);
}

TEST_F(GatewayTest, SigtermLetsARunningStreamFinish) {
    AddModel("slow");
    provider().Script("slow", R"({"text":"a b c d e f g h","chunk_delay_ms":150})");
    const TemporaryFolder state;
    Service business = StartBusinessApi(state.path(), stack().data_api.port);
    ASSERT_TRUE(Eventually(
        [&] {
            return business.Client().Get("/api/v1/models").body.find("\"available\"") !=
                   std::string::npos;
        },
        seconds(30)));
    StreamReader stream(business, "/v1/chat/completions", StreamBody("slow"));
    ASSERT_TRUE(stream.ReadUntil("\"a")) << stream.body();
    business.process->Signal(SIGTERM);
    ASSERT_TRUE(business.process->WaitForOutput("\"event\":\"draining\""));
    EXPECT_EQ(stream.body().find("[DONE]"), std::string::npos);
    ASSERT_TRUE(stream.ReadAll()) << stream.body();
    EXPECT_EQ(TextOf(stream.Events()), "a b c d e f g h");
    EXPECT_EQ(stream.Events().back(), "[DONE]");
    EXPECT_EQ(business.process->WaitForExit(), 0) << business.process->output();
    const json::Document row = HistoryRow(stream.head().Header("X-Request-Id"));
    EXPECT_EQ(row.root().Get("status").StringOr(""), "success");
}

}  // namespace
}  // namespace aim::gateway
