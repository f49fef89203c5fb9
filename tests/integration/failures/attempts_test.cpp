// How often and how long a prompt is tried, and by whom when the caller wants no other model.
#include "tests/integration/failures/failures_test_base.hpp"

namespace aim::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_F(FailuresTest, NoMoreThanMaxAttemptsAreMadeAndAllAreTold) {
    std::vector<Row> rows;
    for (int i = 0; i < 6; ++i) {
        rows.push_back({"failing-" + std::to_string(i), provider().url()});
        provider().Script(rows.back().name, R"({"status":500})");
    }
    AddRows(rows);
    const Reply whole = AskPrompt(stack().business_api, "auto");
    ExpectNative(whole.answer, 502, "all_models_failed");
    EXPECT_EQ(whole.Header("X-AIManager-Attempts"), "4");
    EXPECT_EQ(Json(whole.answer.body).root().Get("context").Get("attempts").size(), 4U);
    EXPECT_EQ(provider().Requests().size(), 4U);
    const Reply streamed = AskChatStream(stack().business_api, "auto");
    ExpectOpenAi(streamed.answer, 502, "all_models_failed");
    EXPECT_EQ(streamed.Header("X-AIManager-Attempts"), "4");
    EXPECT_EQ(provider().Requests().size(), 8U);
    // Each model once.
    for (const Row& row : rows) EXPECT_LE(RequestsFor(row.name), 2U);
}

TEST_F(FailuresTest, TheRequestsOwnTimeEndsEveryAttempt) {
    const TemporaryFolder state;
    const Service business = Gateway(state.path(), {{"REQUEST_TIMEOUT_MS", "1000"}});
    AddRows({{"silent", provider().url()}, {"spare", provider().url(), "groq", "{}", true}});
    ASSERT_TRUE(Offers(business, 2));
    provider().Script("silent", R"({"never_answer":true})");
    Reply whole;
    Reply chat;
    Reply streamed;
    AtOnce({[&] { whole = AskPrompt(business, "silent"); },
            [&] { chat = AskChat(business, "silent"); },
            [&] { streamed = AskChatStream(business, "silent"); }});
    ExpectNative(whole.answer, 504, "deadline_exceeded");
    ExpectOpenAi(chat.answer, 504, "deadline_exceeded");
    ExpectOpenAi(streamed.answer, 504, "deadline_exceeded");
    for (const Reply* reply : {&whole, &chat, &streamed}) {
        std::printf("deadline of 1000 ms: answered after %lld ms\n",
                    static_cast<long long>(reply->took.count()));
        EXPECT_GE(reply->took, milliseconds(900));
        EXPECT_LT(reply->took, seconds(15));
        EXPECT_EQ(HistoryRow(reply->request_id()).root().Get("status").StringOr(""), "timeout");
    }
    EXPECT_EQ(RequestsFor("spare"), 0U);
}

// By every path and in every state of the model: another one is never asked.
TEST_F(FailuresTest, FallbackFalseIsObeyedByEveryPathAndInEveryState) {
    const Service& business = stack().business_api;
    using Ask = Reply (*)(const Service&, const std::string&, const std::string&);
    struct Path {
        const char* name;
        Ask ask;
    };
    constexpr Path kPaths[] = {
        {"prompt", &AskPrompt}, {"chat", &AskChat}, {"stream", &AskChatStream}};
    std::vector<Row> rows = {{"spare", provider().url(), "groq", "{}", true}};
    for (const Path& path : kPaths) {
        for (const char* state : {"parked", "limited", "open", "failing"}) {
            rows.push_back(
                {std::string(state) + "-" + path.name, provider().url(), "groq", "{}", true});
            const std::string step = std::string(state) == "parked" ? R"({"status":401})"
                                     : std::string(state) == "limited"
                                         ? R"({"status":429,"headers":{"retry-after":"60"}})"
                                         : R"({"status":500})";
            provider().Script(rows.back().name, step);
        }
    }
    AddRows(rows);
    AddModel("unplugged", "", "nobody", "no_plugin");
    std::vector<std::function<void()>> tasks;
    for (const Path& path : kPaths) {
        tasks.emplace_back([&business, path] {
            SCOPED_TRACE(path.name);
            const std::string suffix = std::string("-") + path.name;
            // The failure itself, and then the state that it left.
            const Reply parked = path.ask(business, "parked" + suffix, kAlone);
            EXPECT_EQ(parked.status(), 502) << parked.answer.body;
            const Reply rests = path.ask(business, "parked" + suffix, kAlone);
            EXPECT_EQ(rests.status(), 429) << rests.answer.body;
            EXPECT_GE(std::atoi(rests.Header("Retry-After").c_str()), 100);
            for (int i = 0; i < 2; ++i) {
                const Reply limited = path.ask(business, "limited" + suffix, kAlone);
                EXPECT_EQ(limited.status(), 429) << limited.answer.body;
                EXPECT_EQ(limited.Header("X-AIManager-Attempts"), i == 0 ? "1" : "0");
            }
            for (int i = 0; i < 7; ++i) {  // from the sixth on its breaker is open
                const Reply open = path.ask(business, "open" + suffix, kAlone);
                EXPECT_EQ(open.status(), 502) << open.answer.body;
                EXPECT_EQ(open.Header("X-AIManager-Attempts"), "1");
            }
            EXPECT_EQ(path.ask(business, "nobody-knows-it", kAlone).Code(), "model_not_found");
            const Reply unplugged = path.ask(business, "unplugged", kAlone);
            EXPECT_EQ(unplugged.Code(), "no_model_available");
            EXPECT_NE(unplugged.answer.body.find("'unplugged' cannot be used: no plugin"),
                      std::string::npos)
                << unplugged.answer.body;
        });
    }
    AtOnce(tasks);
    for (const Path& path : kPaths) {
        EXPECT_EQ(StateIn(business, std::string("open-") + path.name), "open");
        EXPECT_EQ(RequestsFor(std::string("parked-") + path.name), 1U);
        EXPECT_EQ(RequestsFor(std::string("limited-") + path.name), 1U);
        EXPECT_EQ(RequestsFor(std::string("open-") + path.name), 7U);
    }
    EXPECT_EQ(RequestsFor("spare"), 0U);
}

// "auto" names no model; the one that was chosen is then the only one.
TEST_F(FailuresTest, FallbackFalseHoldsForAutoToo) {
    const Service& business = stack().business_api;
    AddRows({{"chosen", provider().url()}, {"spare", provider().url(), "groq", "{}", true}});
    // Twice, with two attempts at most: a limit that is not waited for, and a failure.
    provider().Script("chosen", R"({"status":500})");
    const Reply failed = AskPrompt(business, "auto", kAlone);
    ExpectNative(failed.answer, 502, "all_models_failed");
    EXPECT_EQ(failed.Header("X-AIManager-Attempts"), "1");
    EXPECT_EQ(RequestsFor("spare"), 0U);
    // The failure halved its rating: up again, above the spare's.
    const std::string chosen = Sql("SELECT id FROM ai_models WHERE name = 'chosen'");
    for (int i = 0; i < 5; ++i)
        data().Post("/models/" + chosen + "/increment-success", R"({"response_time_ms":10})");
    ASSERT_TRUE(Eventually([&] {
        const json::Document models = Json(business.Client().Get("/api/v1/models").body);
        return models.root().At(0).Get("name").StringOr("") == "chosen";
    }));
    provider().Script("chosen", R"({"status":429,"headers":{"retry-after":"60"}})");
    const Reply limited = AskPrompt(business, "auto", kAlone);
    ExpectNative(limited.answer, 429, "rate_limited");
    EXPECT_EQ(limited.Header("X-AIManager-Attempts"), "1");
    EXPECT_EQ(RequestsFor("spare"), 0U);
}

TEST_F(FailuresTest, AContextThatIsTooLongFallsBackToALargerWindowOnly) {
    const auto add = [&](const std::string& name, const char* window) {
        const HttpAnswer answer =
            data().Post("/models", R"({"provider":"groq","name":)" + Quote(name) +
                                       ",\"endpoint\":" + Quote(provider().url()) +
                                       ",\"context_window\":" + window + "}");
        ASSERT_EQ(answer.status, 201) << answer.body;
    };
    add("small", "8192");
    add("smaller", "4096");
    add("unknown", "null");
    provider().Script("small",
                      R"({"status":400,"body":{"error":{"message":"Please reduce the length.",
                          "type":"invalid_request_error","code":"context_length_exceeded"}}})");
    const Service& business = stack().business_api;
    ASSERT_TRUE(Offers(business, 3));
    const Reply refused = AskPrompt(business, "small");
    ExpectNative(refused.answer, 400, "context_too_long");
    EXPECT_EQ(refused.Header("X-AIManager-Attempts"), "1");
    add("large", "131072");
    ASSERT_TRUE(Offers(business, 4));
    const Reply answered = AskPrompt(business, "small");
    EXPECT_EQ(answered.status(), 200) << answered.answer.body;
    EXPECT_EQ(answered.Header("X-AIManager-Model"), "large");
    // It is nobody's fault.
    AwaitDelivery(business);
    EXPECT_EQ(Sql("SELECT total_requests FROM ai_models WHERE name = 'small'"), "0");
}

}  // namespace
}  // namespace aim::gateway
