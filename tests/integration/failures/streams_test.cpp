// What a streaming client sees while a provider breaks, stalls or takes its time.
#include "tests/integration/failures/failures_test_base.hpp"

namespace aim::gateway {
namespace {

constexpr std::string_view kComment = ": keep-alive\n\n";

std::size_t Count(const std::string& text, std::string_view part) {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size())
        ++count;
    return count;
}

// One gateway with short times for all of them.
class StreamsTest : public FailuresTest {
  protected:
    static void SetUpTestSuite() { state_ = std::make_unique<TemporaryFolder>(); }
    static void TearDownTestSuite() {
        if (gateway_) {
            EXPECT_EQ(gateway_->process->Terminate(), 0);
        }
        gateway_.reset();
        state_.reset();
    }
    void SetUp() override {
        FailuresTest::SetUp();
        if (!gateway_) {
            gateway_ =
                std::make_unique<Service>(Gateway(state_->path(), {{"STREAM_COMMENT_MS", "50"},
                                                                   {"EARLY_STREAM_HEAD_MS", "100"},
                                                                   {"STREAM_MAX_MS", "2000"}}));
        }
        ASSERT_TRUE(Eventually([&] { return States(*gateway_).empty(); }));
    }

    static inline std::unique_ptr<TemporaryFolder> state_;
    static inline std::unique_ptr<Service> gateway_;
};

TEST_F(StreamsTest, CommentsKeepTheWayOpenWhileNothingComes) {
    AddRows({{"slow", provider().url()}});
    ASSERT_TRUE(Offers(*gateway_, 1));
    provider().Script("slow", R"({"text":"a b c","chunk_delay_ms":400})");
    const Reply reply = AskChatStream(*gateway_, "slow");
    EXPECT_EQ(reply.status(), 200);
    EXPECT_EQ(reply.text, "a b c");
    EXPECT_TRUE(reply.done);
    EXPECT_GE(Count(reply.answer.body, kComment), 2U) << reply.answer.body;
}

// Our comments are no content: the provider's time runs on, and so it does with its own comments.
TEST_F(StreamsTest, CommentsResetNoTimer) {
    AddRows({{"stalls", provider().url(), "groq", R"({"between_content_timeout_ms":500})"},
             {"comments", provider().url(), "groq", R"({"first_content_timeout_ms":500})"}});
    ASSERT_TRUE(Offers(*gateway_, 2));
    provider().Script("stalls", R"({"text":"a b c d","stall_after_chunks":2})");
    provider().Script("comments", R"({"endless_comments":true,"chunk_delay_ms":20})");
    Reply stalled;
    Reply commented;
    AtOnce({[&] { stalled = AskChatStream(*gateway_, "stalls", kAlone); },
            [&] { commented = AskChatStream(*gateway_, "comments", kAlone); }});
    for (const Reply* reply : {&stalled, &commented}) {
        EXPECT_TRUE(reply->finished);
        EXPECT_EQ(reply->status(), 200);
        EXPECT_FALSE(reply->done);
        EXPECT_GE(Count(reply->answer.body, kComment), 1U) << reply->answer.body;
        ASSERT_FALSE(reply->events.empty()) << reply->answer.body;
        const json::Document last = Json(reply->events.back());
        EXPECT_FALSE(last.root().Get("error").Get("message").StringOr("").empty());
        EXPECT_EQ(HistoryRow(reply->request_id()).root().Get("status").StringOr(""), "timeout");
    }
    EXPECT_EQ(stalled.text, "a b");
    EXPECT_EQ(HistoryRow(stalled.request_id()).root().Get("response_text").StringOr(""), "a b");
    EXPECT_EQ(commented.text, "");
}

// An early head is followed by whoever answers, or by an error event when nobody does.
TEST_F(StreamsTest, AnEarlyHeadHidesAFallbackAndTellsOfADoubleFailure) {
    AddRows({{"silent", provider().url(), "groq", R"({"first_content_timeout_ms":700})"},
             {"second", provider().url(), "groq", "{}", true}});
    ASSERT_TRUE(Offers(*gateway_, 2));
    provider().Script("silent", R"({"never_answer":true})");
    provider().Script("second", R"([{"text":"From second."},{"status":500}])");
    const Reply good = AskChatStream(*gateway_, "silent");
    EXPECT_EQ(good.status(), 200);
    EXPECT_EQ(good.text, "From second.");
    EXPECT_TRUE(good.done);
    EXPECT_TRUE(good.answer.body.starts_with(kComment)) << good.answer.body;
    const Reply bad = AskChatStream(*gateway_, "silent");
    EXPECT_EQ(bad.status(), 200);
    EXPECT_TRUE(bad.finished);
    EXPECT_FALSE(bad.done);
    EXPECT_EQ(bad.answer.body.find("[DONE]"), std::string::npos) << bad.answer.body;
    ASSERT_FALSE(bad.events.empty());
    EXPECT_TRUE(Json(bad.events.back()).root().Get("error").IsObject()) << bad.answer.body;
    EXPECT_EQ(HistoryRow(bad.request_id()).root().Get("status").StringOr(""), "error");
}

TEST_F(StreamsTest, AStreamThatGoesOnForEverIsEndedWithAnError) {
    AddRows({{"endless", provider().url(), "groq", R"({"attempt_timeout_ms":1000})"}});
    ASSERT_TRUE(Offers(*gateway_, 1));
    provider().Script("endless", R"({"chunks":2000,"chunk_delay_ms":50})");
    const Reply reply = AskChatStream(*gateway_, "endless");
    EXPECT_EQ(reply.status(), 200);
    EXPECT_TRUE(reply.finished);
    EXPECT_FALSE(reply.done);
    // Its own time gave way to STREAM_MAX_MS once content was sent.
    EXPECT_GE(reply.took, std::chrono::milliseconds(1900));
    EXPECT_EQ(HistoryRow(reply.request_id()).root().Get("status").StringOr(""), "timeout");
}

// Both said 200 and failed before any content: the caller gets a status, not a broken stream.
TEST_F(FailuresTest, ADoubleFailureInsideTwo200sIsAProper502) {
    AddRows({{"first", provider().url()}, {"second", provider().url()}});
    provider().Script("first", R"({"error_in_stream":{"message":"no","type":"server_error"}})");
    provider().Script("second", R"({"garbage":true})");
    for (const char* named : {"first", "second"}) {
        const Reply reply = AskChatStream(stack().business_api, named);
        ExpectOpenAi(reply.answer, 502, "all_models_failed");
        EXPECT_EQ(reply.Header("X-AIManager-Attempts"), "2");
        EXPECT_EQ(reply.Header("X-Should-Retry"), "false");
    }
}

// A line of 30 MiB is within the limits: it is the answer, and no plugin is to blame for it. One
// over them is a protocol error, without a byte of it sent.
TEST_F(FailuresTest, ALineOf30MiBIsAnAnswerAndALongerOneIsNot) {
    const Service& business = stack().business_api;
    AddRows({{"good", provider().url()},
             {"large", provider().url(), "groq", "{}", true},
             {"too-large", provider().url(), "groq", "{}", true}});
    provider().Script("good", R"({"text":"From good."})");
    provider().Script("large", R"({"huge_line_bytes":31457280})");
    provider().Script("too-large", R"({"huge_line_bytes":34000000})");
    const Reply whole = AskPrompt(business, "large");
    EXPECT_EQ(whole.status(), 200) << whole.answer.body.substr(0, 500);
    EXPECT_EQ(whole.Header("X-AIManager-Model"), "large");
    EXPECT_GT(whole.answer.body.size(), 31457280U);
    EXPECT_EQ(Metric(business, "aimanager_plugin_misbehaviours_total{kind=\"output_flood\"}"), 0);
    const Reply refused = AskChatStream(business, "too-large");
    EXPECT_EQ(refused.status(), 200);
    EXPECT_EQ(refused.text, "From good.");
    EXPECT_EQ(refused.Header("X-AIManager-Attempts"), "2");
    AwaitDelivery(business);
    EXPECT_EQ(Outcomes(refused.request_id()), "too-large:protocol_error good:success");
}

}  // namespace
}  // namespace aim::gateway
