// Providers' limits, parked models and breakers: who rests how long, and who ends it.
#include <ctime>

#include "tests/integration/failures/failures_test_base.hpp"

namespace aim::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string HttpDate(seconds from_now) {
    const std::time_t when = std::time(nullptr) + from_now.count();
    std::tm parts{};
    ::gmtime_r(&when, &parts);
    char text[64];
    std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return text;
}

struct Hint {
    const char* name;
    std::string headers;
    int at_least;  // of our Retry-After, in seconds
    int at_most;
};

// Longer than a request waits, so that the answer comes at once.
TEST_F(FailuresTest, AHintInAnyFormBecomesTheCooldownAndTheCallersRetryAfter) {
    const std::vector<Hint> hints = {
        {"seconds", R"("retry-after":"40")", 20, 40},
        {"fraction", R"("retry-after":"40.5")", 20, 41},
        {"milliseconds", R"("retry-after-ms":"40500")", 20, 41},
        {"date", R"("retry-after":")" + HttpDate(seconds(90)) + "\"", 30, 91},
        {"duration",
         R"("retry-after":null,"x-ratelimit-remaining-tokens":"0","x-ratelimit-reset-tokens":"1m2.5s")",
         30, 63},
        {"absurd", R"("retry-after":"1000000000")", 200, 300},
        {"sentence", R"("retry-after":null)", 20, 45},
    };
    // Of all but the last, the body says nothing of the time.
    const std::string silent = R"("body":{"error":{"message":"Slow down.","code":"limited"}},)";
    const std::string tells =
        R"("body":{"error":{"message":"Please try again in 45s.","code":"limited"}},)";
    const Service& business = stack().business_api;
    std::vector<Row> rows;
    std::vector<Reply> replies(hints.size());
    std::vector<std::function<void()>> questions;
    for (std::size_t i = 0; i < hints.size(); ++i) {
        const std::string name = std::string("hint-") + hints[i].name;
        rows.push_back({name, provider().url()});
        provider().Script(name, R"({"status":429,)" + (i + 1 == hints.size() ? tells : silent) +
                                    R"("headers":{)" + hints[i].headers + "}}");
        questions.emplace_back([&, i, name] {
            replies[i] = AskPrompt(business, name, kAlone);
            // It rests: nobody hammers it, by whichever path.
            for (int again = 0; again < 3; ++again) {
                EXPECT_EQ(AskPrompt(business, name, kAlone).status(), 429);
                EXPECT_EQ(AskChatStream(business, name, kAlone).status(), 429);
            }
        });
    }
    AddRows(rows);
    AtOnce(questions);
    auto states = States(business);
    for (std::size_t i = 0; i < hints.size(); ++i) {
        SCOPED_TRACE(hints[i].name);
        ExpectNative(replies[i].answer, 429, "rate_limited");
        EXPECT_EQ(replies[i].Header("X-AIManager-Attempts"), "1");
        const int told = std::atoi(replies[i].Header("Retry-After").c_str());
        EXPECT_GE(told, hints[i].at_least);
        EXPECT_LE(told, hints[i].at_most);
        EXPECT_EQ(states[rows[i].name], "cooling_down");
        EXPECT_EQ(RequestsFor(rows[i].name), 1U);
    }
}

TEST_F(FailuresTest, AShortLimitIsWaitedOutWithoutAnotherModel) {
    const Service& business = stack().business_api;
    const std::vector<Hint> hints = {
        {"milliseconds", R"("retry-after-ms":"350")", 0, 0},
        {"negative", R"("retry-after":"-5")", 0, 0},
        {"none",
         R"("retry-after":null,"x-ratelimit-reset-requests":null,"x-ratelimit-reset-tokens":null)",
         0, 0},
    };
    std::vector<Row> rows = {{"spare", provider().url(), "groq", "{}", true}};
    std::map<std::string, Reply> replies;
    std::vector<std::function<void()>> questions;
    for (const Hint& hint : hints) {
        for (const bool streamed : {false, true}) {
            const std::string name = std::string(hint.name) + (streamed ? "-stream" : "-whole");
            rows.push_back({name, provider().url()});
            provider().Script(name,
                              R"([{"status":429,"body":{"error":{"message":"Slow."}},"headers":{)" +
                                  hint.headers + R"(}},{"text":"After all."}])");
            Reply& reply = replies[name];
            questions.emplace_back([&reply, &business, name, streamed] {
                reply = streamed ? AskChatStream(business, name, kAlone)
                                 : AskPrompt(business, name, kAlone);
            });
        }
    }
    // A wait of six seconds is short, a second one is more than a prompt waits in all.
    rows.push_back({"again", provider().url()});
    provider().Script("again", R"({"status":429,"headers":{"retry-after":"6"}})");
    Reply again;
    questions.emplace_back([&] { again = AskPrompt(business, "again", kAlone); });
    AddRows(rows);
    AtOnce(questions);
    EXPECT_EQ(again.status(), 429) << again.answer.body;
    EXPECT_GE(std::atoi(again.Header("Retry-After").c_str()), 1);
    EXPECT_GE(again.took, seconds(6));
    EXPECT_EQ(RequestsFor("again"), 2U);
    for (const auto& [name, reply] : replies) {
        SCOPED_TRACE(name);
        EXPECT_EQ(reply.status(), 200) << reply.answer.body;
        EXPECT_EQ(reply.Header("X-AIManager-Model"), name);
        EXPECT_EQ(reply.Header("X-AIManager-Attempts"), "2");
        EXPECT_GE(reply.took, seconds(1));  // never sooner than the clamp
        EXPECT_EQ(RequestsFor(name), 2U);
        EXPECT_NE(reply.answer.body.find("After"), std::string::npos) << reply.answer.body;
    }
    EXPECT_EQ(RequestsFor("spare"), 0U);
}

TEST_F(FailuresTest, WhenAllAreLimitedForAShortTimeTheSoonestIsWaitedFor) {
    AddRows({{"soon", provider().url()}, {"later", provider().url()}});
    provider().Script("soon", R"([{"status":429,"headers":{"retry-after":"1"}},{"text":"Back."}])");
    provider().Script("later", R"({"status":429,"headers":{"retry-after":"120"}})");
    const Reply reply = AskPrompt(stack().business_api, "later");
    EXPECT_EQ(reply.status(), 200) << reply.answer.body;
    EXPECT_EQ(reply.Header("X-AIManager-Model"), "soon");
    EXPECT_EQ(reply.Header("X-AIManager-Attempts"), "3");
    EXPECT_EQ(RequestsFor("later"), 1U);
    AwaitDelivery(stack().business_api);
    EXPECT_EQ(Outcomes(reply.request_id()), "later:rate_limited soon:rate_limited soon:success");
}

TEST_F(FailuresTest, WhenAllAreOpenTheBestIsTriedAndItsSuccessClosesIt) {
    const Service& business = stack().business_api;
    AddRows({{"better", provider().url()}, {"worse", provider().url(), "groq", "{}", true}});
    std::vector<std::function<void()>> questions;
    for (const char* name : {"better", "worse"}) {
        provider().Script(name, R"({"status":500})");
        questions.emplace_back([&business, name] {
            for (int i = 0; i < 5; ++i) AskPrompt(business, name, kAlone);
        });
    }
    // Enough successes before, that the better one stays the better one.
    const std::string better = Sql("SELECT id FROM ai_models WHERE name = 'better'");
    for (int i = 0; i < 20; ++i)
        data().Post("/models/" + better + "/increment-success", R"({"response_time_ms":10})");
    ASSERT_TRUE(Eventually([&] {
        const json::Document models = Json(business.Client().Get("/api/v1/models").body);
        return models.root().At(0).Get("total_requests").Int64Or(0) == 20;
    }));
    AtOnce(questions);
    EXPECT_EQ(StateIn(business, "better"), "open");
    EXPECT_EQ(StateIn(business, "worse"), "open");
    provider().Script("better", R"({"text":"Up again."})");
    const std::size_t before = RequestsFor("worse");
    const Reply reply = AskPrompt(business, "auto");
    EXPECT_EQ(reply.status(), 200) << reply.answer.body;
    EXPECT_EQ(reply.Header("X-AIManager-Model"), "better");
    EXPECT_EQ(reply.Header("X-AIManager-Attempts"), "1");
    EXPECT_EQ(RequestsFor("worse"), before);
    EXPECT_EQ(StateIn(business, "better"), "available");
}

// A replica got an answer: what this process knows of the model is out of date.
TEST_F(FailuresTest, ASuccessOfAnotherProcessEndsParkingAndBreaker) {
    const Service& here = stack().business_api;
    const TemporaryFolder state;
    const Service there = Gateway(state.path());
    AddRows({{"parked", provider().url()}, {"broken", provider().url()}});
    ASSERT_TRUE(Offers(there, 2));
    provider().Script("parked", R"({"status":401})");
    provider().Script("broken", R"({"status":500})");
    EXPECT_EQ(AskPrompt(here, "parked", kAlone).status(), 502);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(AskPrompt(here, "broken", kAlone).status(), 502);
    EXPECT_EQ(StateIn(here, "parked"), "parked");
    EXPECT_EQ(StateIn(here, "broken"), "open");
    for (const char* name : {"parked", "broken"}) {
        provider().Script(name, R"({"text":"Fine again."})");
        EXPECT_EQ(AskPrompt(there, name, kAlone).status(), 200);
        EXPECT_TRUE(Eventually([&] { return StateIn(here, name) == "available"; }, seconds(30)))
            << name << " " << StateIn(here, name);
        EXPECT_EQ(AskPrompt(here, name, kAlone).status(), 200);
    }
}

}  // namespace
}  // namespace aim::gateway
